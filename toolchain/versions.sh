# shellcheck shell=bash disable=SC2034
# What the program was tested with. The plugins' versions follow from package.json.
node_minimum=22.18.0
node_version=24.21.0
pulumi_version=3.259.0
docker_plugin_version=5.2.0
command_plugin_version=1.2.1
default_image=postgres:17
