//go:build linux

package nodes

import (
	"fmt"
	"path/filepath"
)

// An Image is an image from one static binary.
type Image struct {
	Tag     string // such as "mehari.test/app:1"
	Command string // where the binary is in the image, such as "/bin/app"
	File    string // the binary
}

// pack returns the images as files that "ctr images import" reads.
func (c *Cluster) pack(images []Image) ([]string, error) {
	var archives []string
	for i, image := range images {
		archive := c.path(fmt.Sprintf("image%d.tar", i))
		err := run(filepath.Join(c.bin, "mkimage"), "-o", archive, "-t", image.Tag, image.Command+"="+image.File)
		if err != nil {
			return nil, err
		}
		archives = append(archives, archive)
	}
	return archives, nil
}
