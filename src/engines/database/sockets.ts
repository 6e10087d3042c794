import type { Socket } from "node:net";
import { DatabaseError } from "./plugin.ts";

/** The failure of a server that cannot be reached. */
export function unreachable(message: string): DatabaseError {
  return new DatabaseError("unreachable", message);
}

/** Waits for a socket's event. @throws the socket's error; DatabaseError `unreachable` when it closes instead. */
export function onceOf(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => socket.off("error", onError).off("close", onClose).off(event, onEvent);
    const onEvent = () => {
      finish();
      resolve();
    };
    const onError = (error: Error) => {
      finish();
      reject(error);
    };
    const onClose = () => {
      finish();
      reject(unreachable("the server closed the connection"));
    };
    socket.once(event, onEvent).once("error", onError).once("close", onClose);
  });
}
