// What a SuperTokens core issued goes on working through the unmodified SDK after 'grid import supertokens'. The tokens are made here,
// from their formats alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createCipheriv, createHash, generateKeyPairSync, pbkdf2Sync, randomBytes, randomUUID, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Grid, newFolder } from "../support/grid.mjs";
import { PostgreSql } from "../support/postgresql.mjs";
import { initSdk, Session } from "../support/service.mjs";

const command = join(dirname(fileURLToPath(import.meta.url)), "../../../src/Silo/bin/Release/net10.0/Grid.Silo.dll");
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const now = Date.now();

class Original {
  keys = [0, 1, 2].map((age) => ({ kid: now - 60_000 - age * 604_800_000, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) }));
  staticKey = { kid: `s-${randomUUID()}`, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) };
  secret = `1000:${randomBytes(64).toString("hex")}:${randomBytes(64).toString("hex")}`;

  text = ({ publicKey, privateKey }, between) =>
    publicKey.export({ type: "spki", format: "der" }).toString("base64") + between + privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");

  session(userId, age) {
    const handle = randomUUID();
    const refreshToken = this.refreshToken(handle, userId);
    const key = age < 0 ? this.staticKey : this.keys[age];
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const head = encode({ kid: age < 0 ? key.kid : `d-${key.kid}`, typ: "JWT", version: "5", alg: "RS256" });
    const seconds = Math.floor(now / 1000);
    const claims = { role: "user", sub: userId, exp: seconds + 3600, iat: seconds, sessionHandle: handle, refreshTokenHash1: sha256(refreshToken), parentRefreshTokenHash1: null, antiCsrfToken: null, tId: "public", rsub: userId };
    const signed = `${head}.${encode(claims)}`;
    return { handle, userId, refreshToken, isStatic: age < 0, accessToken: `${signed}.${sign("sha256", Buffer.from(signed), key.privateKey).toString("base64url")}` };
  }

  refreshToken(sessionHandle, userId) {
    const nonce = sha256(randomUUID());
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", pbkdf2Sync(this.secret, iv, 100, 32, "sha512"), iv);
    const box = Buffer.concat([iv, cipher.update(JSON.stringify({ sessionHandle, userId, nonce })), cipher.final(), cipher.getAuthTag()]);
    return `${box.toString("base64")}.${nonce}.V2`;
  }

  sql(sessions) {
    const app = "app_id varchar(64) NOT NULL DEFAULT 'public', ";
    return `
      CREATE TABLE session_info (${app} tenant_id varchar(64) NOT NULL DEFAULT 'public', session_handle varchar(255) NOT NULL, user_id varchar(128) NOT NULL,
        refresh_token_hash_2 varchar(128) NOT NULL, session_data text, expires_at bigint NOT NULL, created_at_time bigint NOT NULL, jwt_user_payload text, use_static_key boolean NOT NULL,
        PRIMARY KEY (app_id, tenant_id, session_handle));
      CREATE TABLE session_access_token_signing_keys (${app} created_at_time bigint NOT NULL, value text, PRIMARY KEY (app_id, created_at_time));
      CREATE TABLE jwt_signing_keys (${app} key_id varchar(255) NOT NULL, key_string text NOT NULL, algorithm varchar(10) NOT NULL, created_at bigint, PRIMARY KEY (app_id, key_id));
      CREATE TABLE key_value (${app} tenant_id varchar(64) NOT NULL DEFAULT 'public', name varchar(128) NOT NULL, value text, created_at_time bigint, PRIMARY KEY (app_id, tenant_id, name));
      ${this.keys.map((key) => `INSERT INTO session_access_token_signing_keys (created_at_time, value) VALUES (${key.kid}, '${this.text(key, ";")}');`).join("\n")}
      INSERT INTO jwt_signing_keys (key_id, key_string, algorithm, created_at) VALUES ('${this.staticKey.kid}', '${this.text(this.staticKey, "|")}', 'RS256', ${now});
      INSERT INTO key_value (name, value, created_at_time) VALUES ('refresh_token_key', '${this.secret}', ${now});
      ${sessions.map((s) => `INSERT INTO session_info (session_handle, user_id, refresh_token_hash_2, session_data, expires_at, created_at_time, jwt_user_payload, use_static_key)
        VALUES ('${s.handle}', '${s.userId}', '${sha256(sha256(s.refreshToken))}', '{"cart":1}', ${now + 86_400_000}, ${now}, '{"role":"user"}', ${s.isStatic});`).join("\n")}`;
  }
}

const database = await PostgreSql.start();

describe("Sessions of a SuperTokens core after the import", { skip: !database && PostgreSql.missing }, () => {
  const original = new Original();
  const sessions = [0, 1, 2, -1].flatMap((age, i) => [original.session(`user-${i}`, age), original.session(`user-${i}`, age)]);
  let grid;

  before(async () => {
    const script = join(newFolder(), "original.sql");
    writeFileSync(script, original.sql(sessions));
    execFileSync(join(database.bin, "psql"), ["-q", "-v", "ON_ERROR_STOP=1", "-d", database.uri, "-f", script]);
    grid = await Grid.start();
    await grid.stop();
    const output = execFileSync("dotnet", [command, "import", "supertokens", `--from=${database.uri}`], { cwd: grid.folder }).toString();
    assert.match(output, /8 sessions imported/);
    await grid.launch();
    initSdk(grid.url);
  });

  after(async () => {
    await grid?.stop();
    database.stop();
  });

  it("access tokens of every rotating key are accepted, with and without the database", async () => {
    // One of the static key the SDK refuses itself while it asks for rotating ones, as it does in front of the original.
    for (const { accessToken, handle, userId } of sessions.filter((s) => !s.isStatic)) {
      for (const checkDatabase of [false, true]) {
        const session = await Session.getSessionWithoutRequestResponse(accessToken, undefined, { antiCsrfCheck: false, checkDatabase });
        assert.deepEqual([session.getHandle(), session.getUserId(), session.getAccessTokenPayload().role], [handle, userId, "user"]);
      }
    }
  });

  it("what is stored of a session is there, and a user's sessions are listed", async () => {
    const { handle, userId } = sessions[0];
    const information = await Session.getSessionInformation(handle);
    assert.deepEqual([information.userId, information.sessionDataInDatabase, information.customClaimsInAccessTokenPayload], [userId, { cart: 1 }, { role: "user" }]);
    assert.deepEqual((await Session.getAllSessionHandlesForUser(userId)).sort(), sessions.filter((s) => s.userId === userId).map((s) => s.handle).sort());
  });

  it("refresh tokens refresh, and again with the new ones", async () => {
    for (const { refreshToken, handle } of sessions) {
      const first = await Session.refreshSessionWithoutRequestResponse(refreshToken, true);
      assert.equal(first.getHandle(), handle);
      const tokens = first.getAllSessionTokensDangerously();
      assert.notEqual(tokens.refreshToken, refreshToken);
      const used = await Session.getSessionWithoutRequestResponse(tokens.accessToken, undefined, { antiCsrfCheck: false, checkDatabase: true });
      assert.equal(used.getHandle(), handle);
      assert.equal((await Session.refreshSessionWithoutRequestResponse(tokens.refreshToken, true)).getHandle(), handle);
    }
  });

  it("an original token that was exchanged, and whose successor was used, is theft", async () => {
    await assert.rejects(() => Session.refreshSessionWithoutRequestResponse(sessions[0].refreshToken, true), (error) => error.type === "TOKEN_THEFT_DETECTED");
  });

  it("a revoked session stays revoked when the import is repeated", async () => {
    const { handle, accessToken, refreshToken } = sessions[1];
    assert.equal(await Session.revokeSession(handle), true);
    await grid.stop();
    assert.match(execFileSync("dotnet", [command, "import", "supertokens", `--from=${database.uri}`], { cwd: grid.folder }).toString(), /0 sessions imported/);
    await grid.launch();
    assert.equal(await Session.getSessionInformation(handle), undefined);
    await assert.rejects(() => Session.getSessionWithoutRequestResponse(accessToken, undefined, { antiCsrfCheck: false, checkDatabase: true }));
    await assert.rejects(() => Session.refreshSessionWithoutRequestResponse(refreshToken, true));
  });
});
