import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

export interface EngineCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Folder with what a client needs, by the names that Docker gives them. */
  readonly client: string;
}

/** An authority, and certificates of it for a Docker engine at an address and for its clients. */
export async function newClientCertificates(directory: string, address: string): Promise<EngineCertificates> {
  const client = join(directory, "client");
  await mkdir(client);
  const ca = join(client, "ca.pem");
  const caKey = join(directory, "ca-key.pem");
  const keyOptions = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await execa("openssl", [
    "req",
    "-x509",
    ...keyOptions,
    "-keyout",
    caKey,
    "-out",
    ca,
    "-days",
    "2",
    "-subj",
    "/CN=ca",
  ]);
  const issue = async (cert: string, key: string, extensions: string): Promise<void> => {
    const request = join(directory, "request");
    const extensionFile = join(directory, "extensions");
    await execa("openssl", ["req", ...keyOptions, "-keyout", key, "-out", request, "-subj", "/CN=engine"]);
    await writeFile(extensionFile, extensions);
    const issuer = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-days", "2", "-extfile", extensionFile];
    await execa("openssl", ["x509", "-req", "-in", request, "-out", cert, ...issuer]);
  };
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  await issue(cert, key, `subjectAltName = IP:${address}\nextendedKeyUsage = serverAuth\n`);
  await issue(join(client, "cert.pem"), join(client, "key.pem"), "extendedKeyUsage = clientAuth\n");
  return { ca, cert, key, client };
}
