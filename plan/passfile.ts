/** A line of a passfile for every server (PostgreSQL, "The Password File"): \ and : are escaped. */
export function passfileLine(user: string, password: string): string {
  const escaped = [user, password].map((field) => field.replaceAll("\\", "\\\\").replaceAll(":", "\\:"));
  return `*:*:*:${escaped.join(":")}\n`;
}
