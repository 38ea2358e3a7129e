/** The parts of a Docker image's name that say something about its content. */
export interface ImageReference {
  /** Without registry and path: `postgres` of `registry.example:5000/team/postgres:17`. */
  readonly name: string;
  readonly tag: string | null;
}

/** The longest name that Docker takes, without tag and digest. */
const LONGEST_NAME = 255;

const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const DOMAIN_LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = `${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*(?::[0-9]{1,5})?`;

/** The grammar of github.com/distribution/reference. */
const REFERENCE = new RegExp(
  `^(?<repository>(?:${DOMAIN}/)?(?:${COMPONENT}/)*(?<name>${COMPONENT}))(?::(?<tag>[\\w][\\w.-]{0,127}))?(?:@sha256:[0-9a-f]{64})?$`,
);

/** Null: not a name that Docker takes. */
export function parseImageReference(text: string): ImageReference | null {
  if (text.length > LONGEST_NAME * 2) return null;
  const { repository = "", name = "", tag = null } = REFERENCE.exec(text)?.groups ?? {};
  return name === "" || repository.length > LONGEST_NAME ? null : { name, tag };
}

/** The number with which a tag begins: 17 of `17`, `17.6-bookworm` and `17rc1`; null if it begins with none. */
export function leadingNumber(tag: string): number | null {
  const [digits] = /^\d{1,4}(?!\d)/.exec(tag) ?? [];
  return digits === undefined ? null : Number(digits);
}
