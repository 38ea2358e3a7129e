import type { Input } from "@pulumi/pulumi";

/** What a program gives for the plain inputs of a handler: values that may be known only later, at any depth. */
export type InputsOf<T> = { readonly [K in keyof T]: Input<Deep<T[K]>> };

type Deep<T> = T extends readonly (infer Item)[]
  ? readonly Input<Deep<Item>>[]
  : T extends object
    ? { readonly [K in keyof T]: Input<Deep<T[K]>> }
    : T;
