/** Recorded exchanges that this server answers differently on purpose, and why. */
export const mended: Readonly<Record<string, string>> = {
  'auth-own-meta-permissions': 'Permissions in `_meta` are not honoured: a resource is its owner’s alone.',
  'get-collection-root':
    'The reference fails to parse its own URL (500); a request for /resources itself is a bad one.',
  'get-conditional':
    'The reference answers 304 to a stale ETag; here only the current one is "not modified".',
  'put-array-edge-cases':
    'The reference replaces an array by a new one, and its elements are lost; here they are kept.',
  'put-numeric-path-segment':
    'The reference makes an array of a numeric key, and the next write destroys it; here it is a key.',
  'put-deep-path-missing-resource':
    'Nothing can be below a resource that does not exist: that is 404, not a failed write.',
  'post-below-missing-resource':
    'Nothing can be below a resource that does not exist: that is 404, not a failed write.',
  'url-encoding':
    'The first write goes below a resource that does not exist: that is 404, not a failed write.',
  'keys-by-type': 'An id that is too long is the client’s mistake, and answered as one.',
  'put-through-dangling-link': 'The reference forgets the rest of the path and puts the body at the root.',
  'put-invalid-json': 'Invalid JSON is the client’s mistake: 400 with the reason, not 500.',
  'put-invalid-json-development': 'Invalid JSON is the client’s mistake: 400 with the reason, not 500.',
  'put-scalar-root':
    'The reference says 201 and drops a scalar, or spreads an array into keys; here it is refused.',
  'put-owner-in-body':
    'In the reference one can give a resource away by its `_meta/_owner`, and is locked out.',
  'delete-array-element': 'The reference says 204 and deletes nothing; here it is refused.',
  'delete-missing-key':
    'The reference logs a revision that the resource never has; here nothing happened, so nothing is logged.',
  'delete-special-keys':
    'The reference logs a revision that the resource never has; here nothing happened, so nothing is logged.',
  'delete-link-concurrently':
    'Of several DELETEs of one link the first does it, and only that one makes a revision.',
  'propagate-delete-missing-key': 'Nothing was deleted, so nothing climbs to the parents.',
  'ws-delete-missing-key-watched': 'Nothing was deleted, so no watcher is told.',
  'ensure-link-bad':
    'The reference answers a DELETE with `x-oada-ensure-link` by 200 and does nothing; here it is done.',
  'ignore-links': '`x-oada-ignore-links` is ignored: a link is a link.',
  'users-me': 'The reference repeats `users/` in the place of the document.',
  'ws-delete-resource-watched':
    'The reference drops the watch on a deleted resource; here it hears of the new one too.',
  'ws-delete-link-over-ws-kills-child-watches':
    'In the reference the DELETE of a link ends the watches on what it led to.',
};

/** Recorded exchanges that cannot be replayed from what is written down, and why. */
export const unreplayable: Readonly<Record<string, string>> = {
  'auth-scope-insufficient': 'It needs a token with a scope; tokens have none here.',
  'put-shares': 'It names the reference’s own resource for the shares.',
  'put-body-size-limit': 'The bodies, of 19 and 21 MiB, are not in the recording.',
  'concurrent-first-puts': 'The body is not in the recording.',
  'race-put-vs-delete-resource': 'A race, told in words.',
  'race-parent-rev-lag':
    'A parent’s revision is behind its child’s for a while; here both are stored together.',
  'race-get-header-vs-body': 'Statistics of a race.',
  'propagate-batching': 'Statistics of a race.',
  'ws-concurrent-requests': 'The requests are not in the recording.',
  'ws-change-rev-monotonic': 'The requests are not in the recording.',
  'ws-change-out-of-order': 'Statistics of a race.',
  'ws-watch-gap': 'Statistics of a race.',
  'ws-watch-own-write-ordering': 'Statistics of a race.',
  'ws-delete-resource-over-ws': 'Statistics of a race.',
  'ws-slow-bus-drops-notifications': 'It needs a message bus, and one that is slow.',
};
