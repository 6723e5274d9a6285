package file

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// checkLocal refuses a folder on a file system that several machines share.
func checkLocal(dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("cluster/file: %s: file system: %w", dir, err)
	}
	if name := networked(uint32(st.Type)); name != "" {
		return fmt.Errorf("cluster/file: %s: on a network file system (%s); want a folder on a local one", dir, name)
	}
	return nil
}

// networked names the network file system of a statfs type, "" for others. The
// numbers are those of statfs(2) and of the kernel's linux/magic.h.
func networked(magic uint32) string {
	switch magic {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "SMB"
	case unix.V9FS_MAGIC:
		return "9P"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	case unix.NCP_SUPER_MAGIC:
		return "NCP"
	case unix.OCFS2_SUPER_MAGIC:
		return "OCFS2"
	case 0x01161970:
		return "GFS2"
	case 0x0bd00bd0:
		return "Lustre"
	case 0x47504653:
		return "GPFS"
	}
	return ""
}
