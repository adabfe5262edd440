const known: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
};

/** Why a file cannot be read, in a few words. */
export const whyUnreadable = ({ code, message }: NodeJS.ErrnoException): string =>
  known[code ?? ""] ?? message;
