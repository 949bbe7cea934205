# First process of the test machine: mounts what a system has, then does what it was started for.
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs tmpfs /run
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# As under systemd: nothing but groups in the root of the tree, where an engine finds no limits.
mkdir /sys/fs/cgroup/init
echo $$ >/sys/fs/cgroup/init/cgroup.procs
echo "+cpu +memory +pids +io +cpuset" >/sys/fs/cgroup/cgroup.subtree_control
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
for module in loop xfs overlay; do modprobe "$module"; done
ip link set lo up
cd /aisci
PYTHONPATH=/aisci:/aisci/.packages python3 tests/support/qemu/inside.py
sync
echo o >/proc/sysrq-trigger # off; the kernel does it without an init system
sleep 60
