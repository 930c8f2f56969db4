// The same schedules as the .NET classes went through, and the same verdicts (docs/protocol/holder.md).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, it } from "node:test";

const require = createRequire(import.meta.url);
const { Holder } = require("../dist/holder.js");
const { parseHandle } = require("../dist/handle.js");

const letters = { known: "k", unknown: "u", notFresh: "n" };

/** Goes through a schedule; throws at the first step that comes out differently. */
export function replay(schedule, make = (clock, capacity) => new Holder(clock, capacity)) {
  let [now, wall, suspected, incarnations] = [0, 0, 0, 0];
  const holder = make({ now: () => now, wall: () => wall }, schedule.capacity);
  holder.onSuspected = () => suspected++;
  const kids = new Set();
  const [renewals, looks, watches] = [[], [], []];
  const hear = (entries) => {
    for (const { kid } of entries) if (kid) kids.add(kid);
    return entries;
  };
  const steps = {
    pass({ m, w }) {
      now += m;
      wall += w;
    },
    begin({ app, leaseMs, revokedKeys }) {
      revokedKeys.forEach((kid) => kids.add(kid));
      holder.begin(`incarnation ${++incarnations}`, app, leaseMs, revokedKeys);
    },
    forget: () => holder.forget(),
    startRenewal({ ticket }) {
      renewals[ticket] = holder.startRenewal();
    },
    completeRenewal: ({ ticket, entries }) => ({ applied: holder.completeRenewal(renewals[ticket], hear(entries)) }),
    apply: ({ entries }) => holder.apply(hear(entries)),
    startLook({ ticket, session }) {
      looks[ticket] = holder.startLook(session);
      return { started: looks[ticket] !== undefined };
    },
    completeLook({ ticket, found }) {
      const { handle, tenant } = parseHandle(looks[ticket].handle);
      return { outcome: holder.completeLook(looks[ticket], found && { handle, tenant, ...found }) };
    },
    check: ({ session }) => ({ verdict: letters[holder.check(session)] }),
    watch({ watch, session }) {
      watches[watch] = holder.watch(session, () => {});
    },
    unwatch: ({ watch }) => holder.unwatch(watches[watch]),
  };

  const expected = {};
  schedule.steps.forEach((step, index) => {
    const at = `${schedule.name}, step ${index}: ${step.do}`;
    for (const [name, value] of Object.entries(steps[step.do](step) ?? {})) assert.deepEqual(value, step[name], `${at}: ${name}`);

    // In this order: that the clocks disagree is found by whoever is the first to ask.
    const after = { fresh: holder.isFresh, count: holder.count };
    Object.assign(expected, step.after);
    if ("verdicts" in expected) after.verdicts = schedule.sessions.map((session) => letters[holder.check(session)]).join("");
    after.ended = watches.flatMap((watch, number) => (watch.ended ? [number] : []));
    after.unseen = holder.unseenWatched().sort();
    after.keys = [...kids].filter((kid) => holder.isRevokedKey(kid)).sort();
    after.suspected = suspected;
    assert.deepEqual(after, { fresh: false, count: 0, ended: [], unseen: [], keys: [], suspected: 0, ...expected }, at);
  });
}

const schedules = readFileSync(new URL("vectors/holder.jsonl", import.meta.url), "utf8").trim().split("\n").map((line) => JSON.parse(line));

describe("the rules of holders, as the .NET classes follow them", () => {
  for (const schedule of schedules.filter(({ name }) => !name.startsWith("chance"))) it(schedule.name, () => replay(schedule));

  it("schedules made by chance", () => {
    const chances = schedules.filter(({ name }) => name.startsWith("chance"));
    assert.ok(chances.length >= 300);
    for (const schedule of chances) replay(schedule);
  });
});

describe("schedules find a holder that", () => {
  const mistakes = {
    "counts its lease from the answer": (holder, clock) => {
      const complete = holder.completeRenewal.bind(holder);
      holder.completeRenewal = (ticket, entries) => complete({ ...ticket, sentAt: clock.now(), wallAt: clock.wall() }, entries);
    },
    "takes a look's answer over that an entry has overtaken": (holder, clock) => {
      holder.completeLook = ((complete) => (ticket, found) => {
        const { tombstones } = ticket.of;
        tombstones.covers = () => false;
        return complete(ticket, found);
      })(holder.completeLook.bind(holder));
    },
    "does not forget its memory when it begins again": (holder) => {
      const begin = holder.begin.bind(holder);
      holder.begin = (id, app, lease, keys) => {
        const former = holder.state;
        begin(id, app, lease, keys);
        if (former) for (const [handle, known] of former.sessions) holder.state.sessions.set(handle, known);
      };
    },
    "ignores kinds of entries that it does not know": (holder) => {
      const apply = holder.apply.bind(holder);
      holder.apply = (entries) => apply(entries.filter(({ kind }) => kind <= 5));
    },
    "does not compare its clocks": (holder, clock) => {
      const { wall } = clock;
      const started = { now: clock.now(), wall: clock.wall() };
      clock.wall = () => started.wall + (clock.now() - started.now);
    },
    "ends the kept session of a user, too": (holder) => {
      const apply = holder.apply.bind(holder);
      holder.apply = (entries) => apply(entries.map(({ kept, ...entry }) => entry));
    },
  };
  for (const [mistake, make] of Object.entries(mistakes)) {
    it(mistake, () => {
      const found = schedules.filter((schedule) => {
        try {
          replay(schedule, (clock, capacity) => {
            const holder = new Holder(clock, capacity);
            make(holder, clock);
            return holder;
          });
          return false;
        } catch {
          return true;
        }
      });
      assert.ok(found.length > 0);
    });
  }
});
