import { badRequest, messageOf } from "../../base/errors.ts";
import { isInWindow, nextRotation } from "../../framework/rotation.ts";
import { refusal } from "./refusal.ts";
import {
  type Incident,
  putStatic,
  readStatic,
  type StaticRole,
  type StoredStaticRole,
} from "./static-role.ts";
import {
  CHECK_MS,
  change,
  commitUnlessChanged,
  logIn,
  refuseBusy,
  type StaticMount,
  settleStatic,
  withFailure,
} from "./static-rotation.ts";

/**
 * Rotates a static role's password now.
 * @throws ApiError 400 when there is no such role or a rotation is under way; 500 with Vault's text for a failure.
 */
export async function rotateNow(mount: StaticMount, name: string): Promise<void> {
  const found = await readStatic(mount.context.storage, name);
  if (found === null) throw badRequest("no static role found for role name");
  refuseBusy(name, found.role, mount.context.clock.now());
  try {
    await settleStatic(mount, name, found);
    const stored = await readStatic(mount.context.storage, name);
    if (stored === null) return;
    // The settling may have been one that others took part in.
    refuseBusy(name, stored.role, mount.context.clock.now());
    await rotate(mount, name, stored);
  } catch (error) {
    const what =
      "unable to finish rotating credentials; retries will continue in the background but it is also safe to retry manually";
    throw refusal(what, error);
  }
}

/** Replaces the password, having looked whether the present one still logs in. */
async function rotate(mount: StaticMount, name: string, stored: StoredStaticRole): Promise<void> {
  await noting(mount, name, stored, async () => {
    const drift = await findDrift(mount, stored.role);
    await change(mount, name, stored, { isRepair: false, drift });
  });
}

/** Keeps a failure that came before anything was recorded; once it was, the role's version is another, and so is the failure kept. */
async function noting(
  mount: StaticMount,
  name: string,
  stored: StoredStaticRole,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const role = withFailure(stored.role, error, mount.context.clock.now());
    await commitUnlessChanged(mount, [putStatic(name, role, stored.version)]);
    throw error;
  }
}

/** Whether somebody else changed the password; the change that follows repairs it. */
async function findDrift(mount: StaticMount, role: StaticRole): Promise<Incident | null> {
  if (role.password === "" || (await logIn(mount, role, role.password)) !== "refused") return null;
  const text = `the password of user "${role.username}" was changed outside of vsec`;
  return { at: mount.context.clock.now(), text };
}

/**
 * What is due of a static role: a change that was left half done, a rotation, or a look whether its password still logs in.
 * @throws DatabaseError, ApiError when it did not work; the role is due again.
 */
export async function doDueStatic(mount: StaticMount, name: string): Promise<void> {
  const { storage, clock } = mount.context;
  const stored = await readStatic(storage, name);
  if (stored === null) return;
  const { role } = stored;
  const now = clock.now();
  if (role.next !== null) await settleStatic(mount, name, stored);
  else if (role.rotateAt !== null && role.rotateAt <= now)
    await rotateDue(mount, name, stored, role.rotateAt);
  else if (role.checkAt <= now) await check(mount, name, stored);
}

async function rotateDue(
  mount: StaticMount,
  name: string,
  stored: StoredStaticRole,
  rotateAt: number,
): Promise<void> {
  const { clock, log, mountPath } = mount.context;
  const { role, version } = stored;
  if (isInWindow(role.times, rotateAt, clock.now())) {
    await rotate(mount, name, stored);
    log.info("a static role was rotated", { mount: mountPath, role: name });
    return;
  }
  const text = "the rotation was not possible in its window; it waits for the next time";
  log.warn(text, { mount: mountPath, role: name });
  const failure: Incident = role.failure ?? { at: clock.now(), text };
  const next: StaticRole = {
    ...role,
    failure,
    rotateAt: nextRotation(role.times, clock.now()),
    notBefore: 0,
  };
  await commitUnlessChanged(mount, [putStatic(name, next, version)]);
}

/** Puts our password back where somebody changed it: whoever reads it must be able to log in. */
async function check(mount: StaticMount, name: string, stored: StoredStaticRole): Promise<void> {
  const { clock, log, mountPath } = mount.context;
  let drift: Incident | null = null;
  try {
    drift = await findDrift(mount, stored.role);
  } catch (error) {
    // A database that is away has not changed its passwords. The next rotation will tell if it stays away.
    log.warn("a static role could not be checked", { mount: mountPath, role: name, error: messageOf(error) });
  }
  if (drift !== null) {
    return noting(mount, name, stored, () => change(mount, name, stored, { isRepair: true, drift }));
  }
  const role: StaticRole = { ...stored.role, checkAt: clock.now() + CHECK_MS };
  await commitUnlessChanged(mount, [putStatic(name, role, stored.version)]);
}
