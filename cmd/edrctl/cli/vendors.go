package cli

import (
	"edrctl/internal/crowdstrike"
	"edrctl/internal/mock"
	mockcrowdstrike "edrctl/internal/mock/crowdstrike"
	"edrctl/internal/provision"
)

// supported is the one list of vendors: an adapter and its fake.
func supported() []vendorPair {
	return []vendorPair{
		{crowdstrike.Vendor, mockcrowdstrike.Maker},
	}
}

type vendorPair struct {
	adapter func() provision.Vendor
	fake    func() mock.Maker
}

func vendors() []provision.Vendor {
	var all []provision.Vendor
	for _, p := range supported() {
		all = append(all, p.adapter())
	}
	return all
}

func mocks() []mock.Maker {
	var all []mock.Maker
	for _, p := range supported() {
		all = append(all, p.fake())
	}
	return all
}
