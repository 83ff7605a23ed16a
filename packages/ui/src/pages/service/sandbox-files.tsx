/** The files of an instance's sandbox: folders open in place, files are saved. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactElement } from 'react';
import { browseFiles, downloadUrl, sandboxPath } from '../../api/mesos.ts';
import type { SandboxAddress } from '../../api/mesos.ts';
import type { SandboxFile } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import type { Column } from '../../components/data-table.tsx';
import { Age, EmptyState, ErrorState, LoadingRows } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { formatBytes, shortName } from '../../model/format.ts';

const FILES_REFRESH_MS = 5_000;

export function SandboxFiles({ sandbox }: { readonly sandbox: SandboxAddress }): ReactElement {
  const [folders, setFolders] = useState<readonly string[]>([]);
  const path = sandboxPath(sandbox, folders.join('/'));
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['files', sandbox.agentId, path],
    queryFn: ({ signal }) => browseFiles(sandbox.agentId, path, signal),
    refetchInterval: FILES_REFRESH_MS,
  });
  if (isPending) return <LoadingRows rows={3} label="Files" />;
  if (data === undefined) {
    return (
      <ErrorState
        what="The sandbox"
        error={error ?? new Error('no answer')}
        onRetry={() => void refetch()}
      />
    );
  }
  return (
    <>
      <div className="toolbar">
        <Button
          icon="up"
          isDisabled={folders.length === 0}
          onPress={() => setFolders(folders.slice(0, -1))}
        >
          Up
        </Button>
        <span className="mono muted">
          sandbox{folders.map((folder) => ` / ${folder}`).join('')}
        </span>
      </div>
      <DataTable
        label="Files"
        columns={fileColumns(sandbox.agentId, path, (name) => setFolders([...folders, name]))}
        rows={data.toSorted((left, right) => left.path.localeCompare(right.path, 'en'))}
        rowKey={(file) => file.path}
        minWidth={680}
        empty={<EmptyState title="This folder is empty">Nothing has been written here.</EmptyState>}
      />
    </>
  );
}

function fileColumns(
  agentId: string,
  folder: string,
  onOpen: (name: string) => void,
): readonly Column<SandboxFile>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      width: 'minmax(180px, 2fr)',
      cell: (file) => {
        const name = shortName(file.path);
        const isFolder = file.mode.startsWith('d');
        return (
          <div className="td-name">
            <Icon name={isFolder ? 'folder' : 'file'} />
            {isFolder ? (
              <button type="button" className="link-button mono" onClick={() => onOpen(name)}>
                {name}
              </button>
            ) : (
              <a
                className="mono truncate"
                href={downloadUrl(agentId, `${folder}/${name}`)}
                download
              >
                {name}
              </a>
            )}
          </div>
        );
      },
    },
    {
      id: 'size',
      header: 'Size',
      width: '110px',
      align: 'end',
      cell: (file) => <span className="num">{formatBytes(file.size)}</span>,
    },
    {
      id: 'owner',
      header: 'Owner',
      width: '120px',
      cell: (file) => <span className="muted">{file.uid}</span>,
    },
    {
      id: 'mode',
      header: 'Mode',
      width: '130px',
      cell: (file) => <span className="mono muted">{file.mode}</span>,
    },
    {
      id: 'changed',
      header: 'Changed',
      width: '120px',
      cell: (file) => (
        <span className="muted">
          <Age timeMs={file.mtime * 1000} />
        </span>
      ),
    },
  ];
}
