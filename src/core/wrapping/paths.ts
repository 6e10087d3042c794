import { badRequest } from "../../base/errors.ts";
import { parseJson } from "../../base/json.ts";
import { type EngineRequest, type PathSpec, path } from "../../framework/backend.ts";
import { type Fields, field } from "../../framework/field.ts";
import { builtinRequest } from "../builtin-request.ts";
import type { Services } from "../services.ts";
import { lookUpWrapping, type Unwrapped, unwrap } from "./unwrap.ts";
import { wrapText } from "./wrap.ts";

/** What the pipeline gives `sys/wrapping/wrap` besides. */
interface WrappableRequest {
  /** What the caller asked the answer to be wrapped for; 0 or absent: it did not. */
  readonly wrapTtlSeconds?: number;
}

const TOKEN = field.string({
  description: "The wrapping token; by default the caller's own token.",
  sensitive: true,
});

/** `sys/wrapping/…`: answers that are given out once. @see reference: wrapping. */
export function wrappingPaths(services: Services): PathSpec[] {
  return [wrapPath(), unwrapPath(services), rewrapPath(services), lookupPath(services)];
}

function wrapPath(): PathSpec {
  return path({
    pattern: "wrapping/wrap",
    takesAnyField: true,
    fields: {},
    help: { synopsis: "Wrap the given data, whatever it is." },
    operations: {
      update: {
        summary: "Wrap the given data; the request must ask for wrapping.",
        handler: async (request) => {
          const { wrapTtlSeconds = 0 } = request as EngineRequest<Fields> & WrappableRequest;
          if (wrapTtlSeconds <= 0) throw badRequest("endpoint requires response wrapping to be used");
          return { data: request.raw };
        },
      },
    },
  });
}

function unwrapPath(services: Services): PathSpec {
  return path({
    pattern: "wrapping/unwrap",
    fields: { token: TOKEN },
    help: { synopsis: "Give out a wrapped answer, once." },
    operations: {
      update: {
        summary: "Give out a wrapped answer, once.",
        handler: async (request) => {
          const { response } = await takeOut(services, request);
          // The text is our own; a limit on its depth would refuse what was accepted when it was wrapped.
          return response === "" ? undefined : { bare: parseJson(response, Number.POSITIVE_INFINITY) };
        },
      },
    },
  });
}

function rewrapPath(services: Services): PathSpec {
  return path({
    pattern: "wrapping/rewrap",
    fields: { token: TOKEN },
    help: { synopsis: "Move a wrapped answer to a new wrapping token with the same TTL." },
    operations: {
      update: {
        summary: "Move a wrapped answer to a new wrapping token.",
        handler: async (request) => {
          const { response, info } = await takeOut(services, request);
          const bare = await wrapText(services, {
            response,
            ttlSeconds: info.creation_ttl,
            path: info.creation_path,
            wrappedAccessor: info.wrapped_accessor ?? "",
          });
          return { bare };
        },
      },
    },
  });
}

function takeOut(
  services: Services,
  request: EngineRequest<{ readonly token: typeof TOKEN }>,
): Promise<Unwrapped> {
  return unwrap(services, request.values.token, builtinRequest(request).caller);
}

function lookupPath(services: Services): PathSpec {
  const lookup = {
    summary: "Tell when, for how long and for which path something was wrapped. Does not use the token up.",
    handler: async ({ values, clientToken }: EngineRequest<{ readonly token: typeof TOKEN }>) => {
      const token = values.token || clientToken;
      if (token === "") throw badRequest('missing "token" value in input');
      const { creation_ttl, creation_time, creation_path } = await lookUpWrapping(services, token);
      return { data: { creation_ttl, creation_time, creation_path } };
    },
  };
  return path({
    pattern: "wrapping/lookup",
    unauthenticated: true,
    fields: { token: TOKEN },
    help: { synopsis: "Tell what is known of a wrapping token." },
    operations: { read: lookup, update: lookup },
  });
}
