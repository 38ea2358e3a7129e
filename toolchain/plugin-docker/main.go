// Command pulumi-resource-docker is a stand-in for Pulumi's docker plugin, for machines that cannot download it.
// It bridges the Terraform provider that the official plugin bridges, and has all of its resources for containers,
// networks, volumes and images of an engine; not `docker.Image` (which builds images) and not those for Swarm.
package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

const version = "5.2.0"

func main() {
	provider := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(shim.NewProvider(version)),
		Name:    "docker",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"host": {Default: &tfbridge.DefaultInfo{
				EnvVars: []string{"DOCKER_HOST"}, Value: "unix:///var/run/docker.sock",
			}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_container": {
				Tok:                 resource("Container"),
				DeleteBeforeReplace: true,
				// Lists that the SDK does not give a plural name.
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
			},
			"docker_image": {
				Tok: resource("RemoteImage"),
				// A name is what to pull: it must not be made up.
				Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
			},
			"docker_network": {Tok: resource("Network")},
			"docker_tag":     {Tok: resource("Tag")},
			"docker_volume":  {Tok: resource("Volume")},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image":   {Tok: function("getRemoteImage")},
			"docker_network": {Tok: function("getNetwork")},
		},
	}
	provider.SetAutonaming(255, "-")
	tfbridge.Main("docker", version, provider, []byte(`{"name":"docker","version":"`+version+`"}`))
}

func resource(name string) tokens.Type { return tokens.Type(token(name)) }

func function(name string) tokens.ModuleMember { return tokens.ModuleMember(token(name)) }

func token(name string) string {
	return "docker:index/" + strings.ToLower(name[:1]) + name[1:] + ":" + name
}
