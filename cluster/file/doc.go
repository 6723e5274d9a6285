// Package file keeps the records of a cluster in a folder of a local file
// system, for several processes of one machine:
//
//	store, err := file.New("/var/lib/orders/cluster")
//
// # How it agrees
//
// The state of a record is one empty file, the pointer, whose name holds the
// version. Its value is a file of its own, written in full before. A
// compare-and-set renames the pointer of the old version to that of the new:
//
//	records/table/1795276800000003.5d1c77e2.01b4… -> records/table/1795276800000004.9a0e31c4.77d2…
//
// rename(2) is atomic and needs its source, and no pointer name is ever used
// twice, so of several writers exactly one succeeds and the others learn for
// certain that they did not. No lock is needed for that. A process that is
// killed half-way leaves the record as it was; one that is paused half-way
// (SIGSTOP, a debugger, a swapped-out machine) holds up nobody, and when it goes
// on after others have written, its rename finds no source and it has lost.
//
// Writers of one record queue at an OS file lock, for at most 20 milliseconds
// each, so that they do not all write values of which only one can win. The lock
// makes them faster, not safe: after that time they go on without it.
//
// Versions come from a counter in the folder and grow also where a record was
// deleted by hand. The counter starts at the microseconds of the wall clock, so
// that a folder deleted by hand and made anew does not repeat them either.
//
// # What survives a crash of the machine
//
// The table, of whose versions fencing tokens are made, and the counter are
// synced to the disk before a write is reported. Slots are not: a member writes
// its own every few seconds, all members die together with the machine, and a
// disk under load must not cost a leadership. A slot that a crash of the machine
// left half-written counts as none; a broken table is an error.
//
// # Limits
//
// The folder must be on a local file system: on NFS, SMB and their like rename
// and notification do not hold what is needed here. [New] refuses those it can
// tell, on Linux, by the type of the file system; it cannot tell what a FUSE
// file system stands on. Containers may share the folder if they share the
// kernel. A disk that hangs hangs the calls, whatever their context says.
//
// [Store.Watch] is told of changes by the operating system through fsnotify
// (inotify on Linux, kqueue on macOS and the BSDs, ReadDirectoryChangesW on
// Windows, FEN on illumos), in about a millisecond, and looks by itself once a
// second as a net. Elsewhere, or where the system has no more watches to give, it
// looks every 50 milliseconds.
//
// Files are made with the permissions that the umask leaves. Records are removed
// by deleting their folder below "records"; do not edit anything else by hand.
package file
