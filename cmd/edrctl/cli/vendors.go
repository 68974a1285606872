package cli

import (
	"edrctl/internal/carbonblack"
	"edrctl/internal/cortex"
	"edrctl/internal/crowdstrike"
	"edrctl/internal/cybereason"
	"edrctl/internal/mock"
	mockcarbonblack "edrctl/internal/mock/carbonblack"
	mockcortex "edrctl/internal/mock/cortex"
	mockcrowdstrike "edrctl/internal/mock/crowdstrike"
	mockcybereason "edrctl/internal/mock/cybereason"
	"edrctl/internal/provision"
)

// supported is the one list of vendors: an adapter and its fake.
func supported() []vendorPair {
	return []vendorPair{
		{crowdstrike.Vendor, mockcrowdstrike.Maker},
		{carbonblack.Vendor, mockcarbonblack.Maker},
		{cortex.Vendor, mockcortex.Maker},
		{cybereason.Vendor, mockcybereason.Maker},
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
