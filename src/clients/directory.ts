/**
 * Which radio user is which MC service ID. One represented user has one identity on each side;
 * both are unique, which the configuration's schema and the user records check. A pattern stands for
 * every user it matches whom no entry of its own names.
 */
import { isPattern, userOfPbx, userOfUri } from './user-pattern.js';

/** A radio user whom the gateway represents as a member of its own security domain. */
export interface RepresentedUser {
  /** MC service ID, verbatim as it is hashed into the UID */
  readonly uri: string;
  /** user part of the SIP address on the PBX side */
  readonly pbx: string;
}

export class Directory {
  #byUri = new Map<string, RepresentedUser>();
  #byPbxUser = new Map<string, RepresentedUser>();
  #patterns: RepresentedUser[] = [];

  /** @param users users and patterns (both identities with one `*`); of two for one identity the first counts */
  constructor(users: Iterable<RepresentedUser>) {
    this.replace(users);
  }

  /** From now on these are represented and nobody else. Calls that are up go on. */
  replace(users: Iterable<RepresentedUser>): void {
    this.#byUri = new Map();
    this.#byPbxUser = new Map();
    this.#patterns = [];
    for (const user of users) {
      if (isPattern(user)) this.#patterns.push(user);
      else if (!this.#byUri.has(user.uri) && !this.#byPbxUser.has(user.pbx)) {
        this.#byUri.set(user.uri, user);
        this.#byPbxUser.set(user.pbx, user);
      }
    }
  }

  /** Those with an entry of their own; what patterns match is known only when it calls or is called. */
  get users(): Iterable<RepresentedUser> {
    return this.#byUri.values();
  }

  byUri(mcServiceId: string): RepresentedUser | undefined {
    const named = this.#byUri.get(mcServiceId);
    if (named !== undefined) return named;
    const matches = this.#patterns.flatMap((pattern) => userOfUri(pattern, mcServiceId) ?? []);
    return this.#onlyOne(matches);
  }

  byPbxUser(userPart: string): RepresentedUser | undefined {
    const named = this.#byPbxUser.get(userPart);
    if (named !== undefined) return named;
    const matches = this.#patterns.flatMap((pattern) => userOfPbx(pattern, userPart) ?? []);
    return this.#onlyOne(matches);
  }

  /** Nobody, where patterns disagree or an entry of its own has one of the identities. */
  #onlyOne(matches: readonly RepresentedUser[]): RepresentedUser | undefined {
    const [user, ...more] = matches;
    if (user === undefined || more.length > 0) return undefined;
    return this.#byUri.has(user.uri) || this.#byPbxUser.has(user.pbx) ? undefined : user;
  }
}
