import { readFileSync, statSync } from "node:fs";

const lookEveryMs = 500;

export interface Watch {
  /** The file is being read for another reason: what it holds now is no change. */
  seen(): void;
  close(): void;
}

/**
 * Calls back when the file holds another text than before and has rested since the last look: one that is being written
 * must not be read in halves. Links are followed, so the swap of a Kubernetes ConfigMap is seen. The file is looked at
 * twice a second: file events do not cross every kind of mount.
 * @param text what it held when it was read; a change since then is one.
 * @param stirred told at the first sight of a change, which may prove none.
 */
export function watchConfig(
  path: string,
  text: string,
  changed: () => void,
  stirred: () => void = () => {},
): Watch {
  let known: string | undefined = text;
  let settled: string | undefined;
  let last: string | undefined;
  const look = () => {
    const now = signatureOf(path);
    const rests = now === last;
    if (!rests && last !== undefined && now !== undefined) stirred();
    last = now;
    // A file that is gone for the moment is about to be replaced.
    if (now === undefined || !rests || now === settled) return;
    settled = now;
    const held = textOf(path);
    if (held === known) return;
    known = held;
    changed();
  };
  const timer = setInterval(look, lookEveryMs).unref();
  return {
    seen() {
      known = textOf(path);
    },
    close: () => clearInterval(timer),
  };
}

function signatureOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    // The time of change too: a file that becomes readable is a change. A pipe cannot be read a second time.
    return stat?.isFile() ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : undefined;
  } catch (error) {
    // A link that leads nowhere, a mount that went away: a change to be told as one, by the reload that fails.
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Undefined where it cannot be read: then the reload says why. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
