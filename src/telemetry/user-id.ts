import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import type { Tracing as Policy } from "../config/schema.ts";
import { cut } from "./text.ts";

/** Hex digits of a hash; characters of a value that is not hashed. */
const hashDigits = 16;
const longestValue = 128;

/** Of this process: who a user is cannot be tried out from a trace. */
const ownKey = randomBytes(32);

/** How a user is named in a trace: an HMAC-SHA-256, or the value as it is where `hash` is off. Empty names nobody, and is no key. */
export function userIdOf({ hash, hash_key }: Policy["user_id"]): (user: string) => string | undefined {
  if (!hash) return (user) => (user === "" ? undefined : cut(user, longestValue));
  const key = createSecretKey(hash_key ? Buffer.from(hash_key) : ownKey);
  return (user) =>
    user === "" ? undefined : createHmac("sha256", key).update(user).digest("hex").slice(0, hashDigits);
}
