import { OperationError } from "./errors.ts";
import type { Node } from "./node.ts";
import { withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";

/** Why TLS refuses a server's certificate: it is over, or of an authority that is, or of another one (OpenSSL, X509_V_ERR). */
const REFUSALS = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Whether a login failed for the certificate that the server showed. */
export function isCertificateRefusal(error: unknown): boolean {
  if (!(error instanceof OperationError)) return false;
  const { cause } = error;
  return cause instanceof Error && "code" in cause && REFUSALS.has(String(cause.code));
}

const RELOAD_TIMEOUT_SECONDS = 10;

/**
 * Lets a server whose certificate is refused read its files again: the new one may be there, and whoever logs in over
 * the network could not tell it so. A server that does not answer at all is left alone.
 */
export async function readRenewedCertificate(node: Node, operator: OperatorCredentials): Promise<void> {
  if ((await refusal(node, operator)) === undefined) return;
  await runAsSuperuser(node, "SELECT pg_reload_conf() \\g /dev/null\n");
  let seen = "";
  await waitUntil({
    condition: `${node.name} to show a certificate that is good`,
    timeoutSeconds: RELOAD_TIMEOUT_SECONDS,
    probe: async () => {
      seen = (await refusal(node, operator)) ?? "";
      return seen === "" || undefined;
    },
    seen: () => seen,
  });
}

/** undefined: the certificate is good, or nobody shows one. */
async function refusal(node: Node, operator: OperatorCredentials): Promise<string | undefined> {
  try {
    await withOperator(node, operator, async () => undefined);
    return undefined;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return isCertificateRefusal(error) ? error.message : undefined;
  }
}
