import { expect } from "vitest";

/** Vitest types what stands for "anything like this" as any; here it is unknown, which is all that a comparison needs. */
export const anyNumber: unknown = expect.any(Number);
export const textLike = (pattern: RegExp): unknown => expect.stringMatching(pattern);
export const objectWith = (properties: object): unknown => expect.objectContaining(properties);
