import { Writer } from "../../../src/protobuf/wire.ts";

/** A google.rpc.Status, with RetryInfo where a delay is given. */
export function rpcStatus(code: number, text: string, delayMs?: number): Buffer {
  const writer = new Writer();
  writer.begin();
  if (delayMs !== undefined) {
    const detail = writer.mark;
    const info = writer.mark;
    const delay = writer.mark;
    writer.number(2, (delayMs % 1000) * 1e6);
    writer.number(1, Math.floor(delayMs / 1000));
    writer.wrap(1, delay);
    writer.wrap(2, info);
    writer.field(1, "type.googleapis.com/google.rpc.RetryInfo");
    writer.wrap(3, detail);
    const foreign = writer.mark;
    writer.field(2, "\x08\x01");
    writer.field(1, "type.googleapis.com/google.rpc.ErrorInfo");
    writer.wrap(3, foreign);
  }
  writer.field(2, text);
  writer.number(1, code);
  return writer.finish();
}
