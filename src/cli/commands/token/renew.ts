import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { answer } from "../../outcome.ts";
import type { CommandRequest } from "../../request.ts";
import { ACCESSOR_FLAG, type TokenSubject, tokenSubject } from "../../token-subject.ts";

function requestFor(subject: TokenSubject, increment: number): CommandRequest {
  switch (subject.kind) {
    case "self":
      return { method: "PUT", path: "auth/token/renew-self", body: { increment } };
    case "token":
      return { method: "PUT", path: "auth/token/renew", body: { token: subject.value, increment } };
    case "accessor":
      return {
        method: "POST",
        path: "auth/token/renew-accessor",
        body: { accessor: subject.value, increment },
      };
  }
}

export const command = defineCommand({
  usage: "[options] [TOKEN | ACCESSOR]",
  description: `
Makes a token live longer. The increment counts from now, and may be shortened by the token's limits; the answer says how long it lives now. Without an argument it is the token in use; "-" reads it from standard input.

    $ vsec token renew -increment=30m`,
  flags: {
    increment: {
      kind: "duration",
      aliases: ["i"],
      text: "How long the token should live from now. Absent: what it was made with.",
    },
    ...ACCESSOR_FLAG,
  },
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    const subject = await tokenSubject(context, flags.accessor, args);
    const request = requestFor(subject, Math.max(0, flags.increment ?? 0));
    const response = await context.send(request, { prefix: "Error renewing token", wrap: true });
    return answer({ show: "secret", body: bodyOf(response) ?? {} });
  },
});
