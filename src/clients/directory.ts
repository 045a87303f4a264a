/**
 * Which radio user is which MC service ID. One represented user has one identity on each side;
 * both are unique, which the configuration's schema checks.
 */

/** A radio user whom the gateway represents as a member of its own security domain. */
export interface RepresentedUser {
  /** MC service ID, verbatim as it is hashed into the UID */
  readonly uri: string;
  /** user part of the SIP address on the PBX side */
  readonly pbx: string;
}

export class Directory {
  readonly #byUri = new Map<string, RepresentedUser>();
  readonly #byPbxUser = new Map<string, RepresentedUser>();

  constructor(users: Iterable<RepresentedUser>) {
    for (const user of users) {
      this.#byUri.set(user.uri, user);
      this.#byPbxUser.set(user.pbx, user);
    }
  }

  get users(): Iterable<RepresentedUser> {
    return this.#byUri.values();
  }

  byUri(mcServiceId: string): RepresentedUser | undefined {
    return this.#byUri.get(mcServiceId);
  }

  byPbxUser(userPart: string): RepresentedUser | undefined {
    return this.#byPbxUser.get(userPart);
  }
}
