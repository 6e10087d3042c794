import { ApiError, messageOf, VsecError } from "../../base/errors.ts";

/** What the SDK adds to the errors it throws. */
interface AwsFailure {
  readonly name: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

const THROTTLING = [
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "RequestThrottled",
  "RequestLimitExceeded",
  "TooManyRequestsException",
];

function failureOf(error: unknown): AwsFailure {
  return error instanceof Error ? error : { name: "" };
}

/** The error's name without the ending that the SDK gives some: `NoSuchEntity`. */
export function errorName(error: unknown): string {
  return failureOf(error).name.replace(/Exception$/, "");
}

/** True when AWS says that the thing does not exist. */
export function isMissing(error: unknown): boolean {
  return errorName(error) === "NoSuchEntity";
}

/** How many times the SDK had sent the request when it gave up; 0: not known. */
export function attemptsOf(error: unknown): number {
  return failureOf(error).$metadata?.attempts ?? 0;
}

/** True when AWS asks for fewer requests. */
export function isThrottled(error: unknown): boolean {
  return THROTTLING.includes(failureOf(error).name) || failureOf(error).$metadata?.httpStatusCode === 429;
}

/** True when AWS received the request, understood it and did nothing: at the first attempt, so that none before it did. */
export function isRefused(error: unknown): boolean {
  const status = failureOf(error).$metadata?.httpStatusCode ?? 0;
  return attemptsOf(error) === 1 && status >= 400 && status < 500 && !isThrottled(error) && status !== 408;
}

/** True when the endpoint could not be reached or is broken, so that another one may do. */
export function isUnavailable(error: unknown): boolean {
  const status = failureOf(error).$metadata?.httpStatusCode;
  return status === undefined || status >= 500;
}

/** `AccessDenied: User … is not authorized …`. */
export function awsText(error: unknown): string {
  const name = errorName(error);
  const text = messageOf(error);
  return name === "" || name === "Error" || text.startsWith(name) ? text : `${name}: ${text}`;
}

/**
 * A refusal of AWS as the API answers it.
 * @returns ApiError 400 `<what>: <AWS's text>`; 502 when AWS throttles. @see reference: AWS creds, errors.
 */
export function awsRefusal(what: string, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isThrottled(error)) return new ApiError(502, "upstream rate limited", { cause: error });
  return new ApiError(400, `${what}: ${awsText(error)}`, { cause: error });
}

/** A failure of work that nobody waits for: a revocation, a rotation. */
export function awsFailure(what: string, error: unknown): VsecError {
  return new VsecError("BACKEND", `${what}: ${awsText(error)}`, { cause: error });
}
