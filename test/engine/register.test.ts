import { describe, expect, it } from "vitest";
import { soleTenant } from "../../src/core/ids.ts";
import { createRegister } from "../../src/engine/register.ts";
import { nextJobId, nextToken, otherTenant } from "../builders.ts";

const ref = () => ({ tenant: soleTenant, id: nextJobId() });

describe("the register", () => {
  it("lets one attempt hold an item, until it lets go", () => {
    const register = createRegister();
    const item = ref();
    expect(register.hold(item)).toBeDefined();
    expect(register.hold(item)).toBeUndefined();
    expect(register.holds(item)).toBe(true);
    register.letGo(item);
    expect(register.holds(item)).toBe(false);
    expect(register.hold(item)).toBeDefined();
  });

  it("keeps tenants apart", () => {
    const register = createRegister();
    const item = ref();
    register.hold(item);
    expect(register.hold({ ...item, tenant: otherTenant })).toBeDefined();
    register.letGo({ ...item, tenant: otherTenant });
    expect(register.holds(item)).toBe(true);
  });

  it("says that a lease lives only for the token that is held now", () => {
    const register = createRegister();
    const item = ref();
    const [old, current] = [nextToken(), nextToken()];
    const held = register.hold(item);
    expect(register.lives(item, current)).toBe(false);
    if (held !== undefined) held.token = current;
    expect([register.lives(item, current), register.lives(item, old)]).toEqual([true, false]);
    register.letGo(item);
    expect(register.lives(item, current)).toBe(false);
  });

  it("tells a cancel to the call it is meant for, and to no other", () => {
    const register = createRegister();
    const [asked, other] = [ref(), ref()];
    const [held, heldToo] = [register.hold(asked), register.hold(other)];
    register.askCancel(asked);
    register.askCancel(ref());
    expect([held?.cancelAsked, held?.abort.signal.aborted]).toEqual([true, true]);
    expect([heldToo?.cancelAsked, heldToo?.abort.signal.aborted]).toEqual([false, false]);
  });

  it("forgets a cancel with the attempt that it was asked of", () => {
    const register = createRegister();
    const item = ref();
    register.hold(item);
    register.askCancel(item);
    register.letGo(item);
    expect(register.hold(item)).toMatchObject({ cancelAsked: false, token: null });
  });

  it("ends every call at a shutdown, without taking it for a cancel", () => {
    const register = createRegister();
    const held = [ref(), { ...ref(), tenant: otherTenant }].map((item) => register.hold(item));
    register.abortAll();
    for (const item of held) expect([item?.abort.signal.aborted, item?.cancelAsked]).toEqual([true, false]);
  });
});
