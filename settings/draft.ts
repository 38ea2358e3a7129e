type Scalar = string | number | boolean | undefined;

/**
 * What could be read of a `T`: undefined stands wherever something is missing or was refused.
 * Rules across keys look at drafts, so that one bad value does not hide what is wrong with the others.
 */
export type Draft<T> = T extends Scalar
  ? T | undefined
  : T extends readonly (infer Element)[]
    ? readonly Draft<Element>[] | undefined
    : { readonly [Key in keyof T]: Draft<T[Key]> } | undefined;
