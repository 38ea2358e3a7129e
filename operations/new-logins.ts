/** With what standbys log in, and this program. */
export interface Logins {
  readonly replicationUser: string;
  readonly replicationPassword: LoginPassword;
  readonly operatorPassword: LoginPassword;
}

/** A text is one that the stack file chooses; a version, of one that is generated. */
type LoginPassword = string | { readonly version: number };

/**
 * What a change of the stack file makes new, in words.
 * @param before undefined: nobody knows.
 */
export function newLogins(before: Logins | undefined, after: Logins | undefined): string[] {
  if (before === undefined || after === undefined) return [];
  return [
    ...(before.replicationUser === after.replicationUser ? [] : ["`replication.user`"]),
    ...(isSame(before.replicationPassword, after.replicationPassword) ? [] : ["`passwords.replication`"]),
    ...(isSame(before.operatorPassword, after.operatorPassword) ? [] : ["`passwords.operator`"]),
  ];
}

const isSame = (a: LoginPassword, b: LoginPassword): boolean =>
  typeof a === "string" || typeof b === "string" ? a === b : a.version === b.version;
