/** Which stack is being deployed: what the settings are for, and what Docker's names begin with. */
export interface Deployment {
  /** The Pulumi project, which is also the namespace of all keys of the stack file. */
  readonly project: string;
  readonly stack: string;
}
