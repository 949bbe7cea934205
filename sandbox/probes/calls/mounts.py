"""No call that makes or moves mount points is taken.

tries: mount, umount2, pivot_root, chroot; fsopen, fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr
parts: seccomp.profile
family: 9, 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, NOWHERE, call
from probing import done

call("mount", NOWHERE, NOWHERE, NOWHERE, 0, 0)
call("umount2", NOWHERE, 0)
call("pivot_root", NOWHERE, NOWHERE)
call("chroot", NOWHERE)
call("fsopen", NOWHERE, 0)
call("fsconfig", NONE, 0, 0, 0, 0)
call("fsmount", NONE, 0, 0)
call("fspick", NONE, NOWHERE, 0)
call("open_tree", NONE, NOWHERE, 0)
call("move_mount", NONE, NOWHERE, NONE, NOWHERE, 0)
call("mount_setattr", NONE, NOWHERE, 0, NOWHERE, 0)
done()
