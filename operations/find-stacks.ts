import type Docker from "dockerode";
import { labelFilters } from "./node.ts";
import type { StackLabels } from "./node.ts";

/** Names of the stacks that have a container or a volume with these labels on the engine, in their order. */
export async function findStacks(docker: Docker, labels: StackLabels, stackLabel: string): Promise<string[]> {
  const filters = { label: [...labelFilters(labels), stackLabel] };
  const [containers, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  const names = [
    ...containers.map((container) => container.Labels[stackLabel]),
    ...volumes.map((volume) => volume.Labels[stackLabel]),
  ];
  return [...new Set(names.flatMap((name) => name ?? []))].toSorted();
}
