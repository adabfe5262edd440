/** What to say of an address that cannot be listened on, and what to do about it. `key` of the configuration names it. */
export function unbindable(address: string, key: string, error: Error): Error {
  const code = /\b(E[A-Z]{4,})\b/.exec(
    `${(error as NodeJS.ErrnoException).code ?? ""} ${error.message}`,
  )?.[1];
  const remedy =
    code === "EADDRINUSE"
      ? `free it or set ${key} to another address`
      : code === "EACCES" || code === "EPERM"
        ? `this user may not; set ${key} to another address`
        : `set ${key} to an address of this machine`;
  return new Error(`cannot listen on ${address}: ${error.message}; ${remedy}`);
}
