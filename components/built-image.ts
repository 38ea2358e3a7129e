import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { imagePath } from "../plan/built-image.ts";
import type { BuiltImage } from "../plan/built-image.ts";
import type { HostPlan } from "../plan/plan.ts";
import { HostImage } from "../provider/resources/host-image.ts";
import type { Foundation } from "./foundation.ts";

/** The name of the image says what is in it: another content is built anew, and never in the place of another. */
export function builtImage(
  name: string,
  image: BuiltImage,
  tag: string,
  { plan, beforeFiles }: Foundation,
  host: HostPlan | null,
  parent: pulumi.Resource,
): pulumi.Resource {
  const opts = { parent, dependsOn: [...beforeFiles] };
  if (host !== null) return new HostImage(name, { host, image: tag, base: plan.image, folder: imagePath(image) }, opts);
  const build = `docker build --quiet --network host --build-arg 'BASE=${plan.image}' --tag '${tag}' '${imagePath(image)}'`;
  return new command.local.Command(name, { create: build, triggers: [tag], logging: "none" }, opts);
}
