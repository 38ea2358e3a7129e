import { createHash, createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { isVerifierOf, scramVerifier } from "../../operations/scram.ts";

test("it is what PostgreSQL itself stores for the same password and salt", () => {
  // Made by PostgreSQL 17: CREATE ROLE ... PASSWORD ..., then pg_authid.rolpassword.
  const stored =
    "SCRAM-SHA-256$4096:ZnIEDYf6jAktrdSmW7r+NQ==$F/diHQ3ORO/5FclAhh+j2+aUVGFd0dvwqNs82OuQ1Iw=:pJaoLjT1sql9Q3RLThDYBOmRtFjac8bXO6rcQ0XoMwk=";
  const salt = Buffer.from("ZnIEDYf6jAktrdSmW7r+NQ==", "base64");
  expect(scramVerifier(String.raw`It's a "test" \ password: 42%`, salt)).toBe(stored);
});

test("it passes the exchange of RFC 7677", () => {
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
  const proof = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");

  const [, , keys = ""] = scramVerifier("pencil", Buffer.from(salt, "base64")).split("$");
  const [storedKey = "", serverKey = ""] = keys.split(":").map((key) => Buffer.from(key, "base64"));
  const hmac = (key: Buffer | string): Buffer => createHmac("sha256", key).update(message).digest();
  const clientSignature = hmac(storedKey);
  const clientKey = proof.map((byte, index) => byte ^ (clientSignature[index] ?? 0));

  expect(createHash("sha256").update(clientKey).digest()).toEqual(storedKey);
  expect(hmac(serverKey).toString("base64")).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
});

test("two roles with one password do not show it: each has a salt of its own", () => {
  expect(scramVerifier("secret")).not.toBe(scramVerifier("secret"));
});

test("a stored verifier tells whose password it is, however many iterations it was made with", () => {
  const stored = scramVerifier("secret", undefined, 10_000);
  expect(isVerifierOf(stored, "secret")).toBe(true);
  expect(isVerifierOf(stored, "Secret")).toBe(false);
  expect(isVerifierOf("md5a3556571e93b0d20722ba62be61e8c2d", "secret")).toBe(false);
});
