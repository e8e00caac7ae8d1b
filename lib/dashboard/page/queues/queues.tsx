import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { QueueView } from '../../api.js';
import { getQueues, removeQueue } from '../client.js';
import { confirm } from '../elements/dialog.js';
import { Icon } from '../elements/icon.js';
import { Empty, WhenLoaded } from '../elements/notice.js';
import { State } from '../elements/state.js';
import { Table } from '../elements/table.js';
import type { Column } from '../elements/table.js';
import { tell, tellProblem } from '../elements/toasts.js';
import { duration } from '../format.js';
import { None } from '../jobs/job-table.js';
import { useChanges } from '../live.js';
import { useLiveLoad } from '../load.js';
import type { Place } from '../route.js';
import { isReadOnly } from '../session.js';
import { Heading } from '../shell/heading.js';
import { AddQueue } from './add-queue.js';

export function QueuesView({ place }: { readonly place: Place }): JSX.Element {
  const queues = useLiveLoad('queues', (signal) => getQueues(place, signal));
  const { reload } = queues;
  const [isAdding, setAdding] = useState(false);
  useChanges('queues', reload);
  return (
    <>
      <Heading title="Queues">
        <button type="button" class="button" onClick={reload}>
          <Icon name="retry" /> Check again
        </button>
        {isReadOnly() ? null : (
          <button type="button" class="button primary" onClick={() => setAdding(true)}>
            <Icon name="plus" /> Add a queue
          </button>
        )}
      </Heading>
      <p class="lead">
        The lists of jobs that {place.service} watches besides the one in its own store: each is of a store,
        and of the user of a token.
      </p>
      <WhenLoaded loaded={queues} what="The queues">
        {(all) =>
          all.length === 0 ? (
            <Empty icon="queues" title="No further queue">
              The service takes its jobs from the list in its own store.
            </Empty>
          ) : (
            <Table
              caption="Queues"
              rows={all}
              keyOf={({ queue }) => queue}
              columns={columnsFor(place, reload)}
            />
          )
        }
      </WhenLoaded>
      {isAdding ? <AddQueue place={place} onClose={() => setAdding(false)} onAdded={reload} /> : null}
    </>
  );
}

function columnsFor(place: Place, reload: () => void): Column<QueueView>[] {
  const actions: Column<QueueView> = {
    title: 'Actions',
    kind: 'actions',
    cell: (queue) => <RemoveButton place={place} queue={queue} onRemoved={reload} />,
  };
  return [
    {
      title: 'Health',
      kind: 'state',
      cell: ({ health: { ok } }) => <State tone={ok ? 'success' : 'failure'}>{ok ? 'ok' : 'failing'}</State>,
    },
    { title: 'Queue', isWide: true, cell: ({ queue }) => <strong>{queue}</strong> },
    {
      title: 'Store',
      kind: 'domain',
      cell: ({ domain }) => (domain === undefined ? <None /> : <span class="mono">{domain}</span>),
    },
    {
      title: 'Answer',
      kind: 'error',
      cell: ({ problem, health }) =>
        health.ok ? (
          `in ${duration(health.took)}`
        ) : (
          <span class="failure-text">{problem ?? health.problem ?? 'none'}</span>
        ),
    },
    ...(isReadOnly() ? [] : [actions]),
  ];
}

interface RemoveButtonProps {
  readonly place: Place;
  readonly queue: QueueView;
  readonly onRemoved: () => void;
}

function RemoveButton({ place, queue: { queue }, onRemoved }: RemoveButtonProps): JSX.Element {
  const remove = async (): Promise<void> => {
    const isYes = await confirm({
      title: `Remove the queue ${queue}?`,
      text: 'The service no longer takes jobs from it. The jobs stay where they are; to watch it again, its token is needed.',
      action: 'Remove',
      isDangerous: true,
    });
    if (!isYes) return;
    try {
      await removeQueue(place, queue);
      tell(`The queue ${queue} is removed.`);
    } catch (error) {
      tellProblem(error);
    }
    onRemoved();
  };
  return (
    <button
      type="button"
      class="button danger-quiet small"
      aria-label={`Remove the queue ${queue}`}
      onClick={() => void remove()}
    >
      Remove
    </button>
  );
}
