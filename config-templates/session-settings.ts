/** The first major that knows transaction_timeout. */
export const TRANSACTION_TIMEOUT_MAJOR = 17;

/**
 * What a session of the topology itself goes by, whatever the stack file, ALTER DATABASE or ALTER ROLE say: those settings
 * are for the sessions of users.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
  default_transaction_read_only: "off",
  // A standby refuses queries of serializable transactions.
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  datestyle: "ISO",
  standard_conforming_strings: "on",
  exit_on_error: "off",
};

/** All of it, for servers of a major. */
export const sessionSettings = (postgresMajor: number): Readonly<Record<string, string>> =>
  postgresMajor < TRANSACTION_TIMEOUT_MAJOR ? SETTINGS : { ...SETTINGS, transaction_timeout: "0" };

/** As libpq's `options` and PGOPTIONS take them (PostgreSQL, "Database Connection Control Functions"). */
export const asOptions = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, "\\$&")}`)
    .join(" ");
