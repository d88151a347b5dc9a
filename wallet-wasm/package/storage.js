// Places for a wallet's records under Node.js. The types are WalletStorage in core.d.ts.
//
// A folder holds `records.log`, `key` and, while somebody works, `lock`. The log is what makes a change whole: a line
// for each, with its own checksum, on disk before it is answered for. A line that a crash has cut off is not there for
// whoever reads, and is cut away by whoever writes next. A log that has grown is written anew beside the old one.
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync, fstatSync, fsyncSync, ftruncateSync, linkSync, mkdirSync, openSync, readFileSync, readSync, renameSync,
  statSync, unlinkSync, writeFileSync, writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

/** A log below this many bytes is never written anew. */
const COMPACT_FROM = 256 * 1024;
/** How often a lock that somebody holds is tried again, in milliseconds. */
const PAUSE = 25;

export function memoryStorage() {
  const records = new Map();
  const key = randomBytes(32);
  let tail = Promise.resolve();
  return {
    read: async (name) => records.get(name),
    list: async (prefix) => sorted(records, prefix),
    commit: async (changes, required) => {
      if (required !== null && !records.has(required)) return false;
      apply(records, changes);
      return true;
    },
    lock: async (patience) => {
      const before = tail;
      let release;
      const held = new Promise((resolve) => (release = resolve));
      tail = before.then(() => held);
      const granted = await within(before, patience);
      if (granted) return release;
      release();
      return null;
    },
    key: async () => new Uint8Array(key),
  };
}

export function fileStorage(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = new Log(join(folder, "records.log"));
  return {
    read: async (name) => log.current().get(name),
    list: async (prefix) => sorted(log.current(), prefix),
    commit: async (changes, required) => log.commit(changes, required),
    lock: (patience) => lock(join(folder, "lock"), patience),
    key: async () => key(join(folder, "key")),
  };
}

function apply(records, changes) {
  for (const [name, record] of changes) {
    if (record === null) records.delete(name);
    else records.set(name, record);
  }
}

/** In the order of the keys' bytes. */
function sorted(records, prefix) {
  const found = [...records].filter(([name]) => name.startsWith(prefix));
  return found.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

async function within(promise, patience) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve(false), patience)));
  const done = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return done;
}

class Log {
  #path;
  #records = new Map();
  /** Which file was read, and how far. */
  #inode = 0n;
  #end = 0;

  constructor(path) {
    this.#path = path;
  }

  /** The records, with what other programs have written meanwhile. */
  current() {
    let file;
    try {
      file = openSync(this.#path, "r");
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
      this.#forget(0n);
      return this.#records;
    }
    try {
      this.#catchUp(file);
    } finally {
      closeSync(file);
    }
    return this.#records;
  }

  /** Whoever commits holds the lock: nobody else writes meanwhile. */
  commit(changes, required) {
    const file = openSync(this.#path, "a+", 0o600);
    try {
      const isNew = fstatSync(file).size === 0;
      this.#catchUp(file);
      // What a crash has cut off must not stand before what follows.
      if (fstatSync(file).size > this.#end) ftruncateSync(file, this.#end);
      if (required !== null && !this.#records.has(required)) return false;
      const bytes = line(changes);
      writeAll(file, bytes);
      fsyncSync(file);
      if (isNew) syncFolder(this.#path);
      this.#end += bytes.length;
    } finally {
      closeSync(file);
    }
    apply(this.#records, changes);
    this.#compact();
    return true;
  }

  #forget(inode) {
    this.#records = new Map();
    this.#inode = inode;
    this.#end = 0;
  }

  #catchUp(file) {
    const { ino, size } = fstatSync(file, { bigint: true });
    if (ino !== this.#inode || Number(size) < this.#end) this.#forget(ino);
    const bytes = Buffer.alloc(Number(size) - this.#end);
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(file, bytes, read, bytes.length - read, this.#end + read);
      if (count === 0) break;
      read += count;
    }
    let start = 0;
    for (let end; (end = bytes.indexOf(10, start)) >= 0 && end < read; start = end + 1) {
      const changes = changesIn(bytes.subarray(start, end));
      if (changes === null) break;
      apply(this.#records, changes);
    }
    this.#end += start;
    // A line that does not fit its checksum, with others after it, is no crash: somebody has changed it.
    const end = bytes.indexOf(10, start);
    if (end >= 0 && end < read - 1) {
      throw Object.assign(new Error(`${this.#path} is damaged at byte ${this.#end}`), { code: "EDAMAGED" });
    }
  }

  #compact() {
    if (this.#end < COMPACT_FROM) return;
    const bytes = line([...this.#records]);
    if (bytes.length * 2 > this.#end) return;
    const beside = `${this.#path}.new`;
    const file = openSync(beside, "w", 0o600);
    let inode;
    try {
      writeAll(file, bytes);
      fsyncSync(file);
      inode = fstatSync(file, { bigint: true }).ino;
    } finally {
      closeSync(file);
    }
    renameSync(beside, this.#path);
    syncFolder(this.#path);
    this.#inode = inode;
    this.#end = bytes.length;
  }
}

/** Changes as one line: the checksum, then JSON. */
function line(changes) {
  const text = JSON.stringify(
    changes.map(([name, record]) => [name, record === null ? null : Buffer.from(record).toString("base64")]),
  );
  return Buffer.from(`${checksum(text)} ${text}\n`);
}

/** The changes of a line, or null for one that is not whole. */
function changesIn(bytes) {
  const text = bytes.toString("utf8");
  const [sum, json] = [text.slice(0, 32), text.slice(33)];
  if (sum !== checksum(json)) return null;
  return JSON.parse(json).map(([name, record]) => [
    name,
    record === null ? null : new Uint8Array(Buffer.from(record, "base64")),
  ]);
}

function checksum(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function writeAll(file, bytes) {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written);
  }
}

/** A new name in a folder is on disk when the folder is; Windows has no such call, and needs none. */
function syncFolder(path) {
  if (process.platform === "win32") return;
  const folder = openSync(join(path, ".."), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** The key of the folder. Of two programs that make one, the first one's stays. */
function key(path) {
  for (;;) {
    try {
      if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
        throw new Error(`${path} can be read by others: make it private with chmod 600`);
      }
      return new Uint8Array(readFileSync(path));
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
    const beside = `${path}.${process.pid}`;
    const file = openSync(beside, "w", 0o600);
    try {
      writeAll(file, randomBytes(32));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(beside, path);
      syncFolder(path);
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    } finally {
      unlinkSync(beside);
    }
  }
}

/**
 * One program at a time, by a file that names who holds it. Node.js has no locks of the system's, so a program that was
 * killed leaves the file behind: whoever finds that its holder has ended takes it away.
 */
async function lock(path, patience) {
  const own = JSON.stringify({ host: hostname(), pid: process.pid, token: randomBytes(12).toString("hex") });
  const end = Date.now() + patience;
  for (;;) {
    try {
      writeFileSync(path, own, { flag: "wx", mode: 0o600 });
      return () => {
        if (holder(path) === own) unlinkSync(path);
      };
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    takeFromTheDead(path);
    if (Date.now() >= end) return null;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function holder(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

function takeFromTheDead(path) {
  const found = holder(path);
  if (found === null || isAlive(found, path)) return;
  // Moved away first, so that of two who find it one moves it; and looked at again, since it may be another's by now.
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  if (readFileSync(aside, "utf8") !== found) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
  }
  unlinkSync(aside);
}

/** Whether the holder may still be at work: of another machine nobody here can tell, so it is. */
function isAlive(text, path) {
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    // Between its making and its first byte, or torn by a crash: some seconds tell the two apart.
    return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < 5_000;
  }
  if (found.host !== hostname()) return true;
  try {
    process.kill(found.pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
