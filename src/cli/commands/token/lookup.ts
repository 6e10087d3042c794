import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { answer } from "../../outcome.ts";
import type { CommandRequest } from "../../request.ts";
import { ACCESSOR_FLAG, type TokenSubject, tokenSubject } from "../../token-subject.ts";

function requestFor(subject: TokenSubject): CommandRequest {
  switch (subject.kind) {
    case "self":
      return { method: "GET", path: "auth/token/lookup-self" };
    case "token":
      return { method: "POST", path: "auth/token/lookup", body: { token: subject.value } };
    case "accessor":
      return { method: "POST", path: "auth/token/lookup-accessor", body: { accessor: subject.value } };
  }
}

export const command = defineCommand({
  usage: "[options] [TOKEN | ACCESSOR]",
  description: `
Shows a token: its policies, how long it lives, and where it came from. Without an argument it is the token in use; "-" reads it from standard input.

    $ vsec token lookup

By its accessor, which reveals no token:

    $ vsec token lookup -accessor 9793c9b3-e04a-46f3-e7b8-748d7da248da`,
  flags: ACCESSOR_FLAG,
  output: { format: true, field: true },
  requests: true,
  async run(context, flags, args) {
    const request = requestFor(await tokenSubject(context, flags.accessor, args));
    const response = await context.send(request, { prefix: "Error looking up token", wrap: true });
    return answer({ show: "secret", body: bodyOf(response) ?? {} });
  },
});
