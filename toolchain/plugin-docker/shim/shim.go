// Package shim exposes the constructor of terraform-provider-docker. It stands below that module's path because the
// constructor is in an internal package.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider makes the Terraform provider.
func NewProvider(version string) *schema.Provider { return provider.New(version)() }
