import { randomInt } from "node:crypto";
import type { Handler } from "../handler.ts";
import type { PasswordInputs, PasswordOutputs } from "../resources/password.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const randomPassword = ({ length }: PasswordInputs): PasswordOutputs => ({
  value: Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join(""),
});

export const passwordHandler: Handler<PasswordInputs, PasswordOutputs> = {
  secretOutputs: ["value"],
  create: async (inputs) => ({ id: "password", outputs: randomPassword(inputs) }),
  update: async (_state, inputs) => randomPassword(inputs),
};
