/* check_slurm_output.c: tests of common/slurm_output.c and common/slurm_facts.c: what scontrol
 * prints, as recorded from Slurm 22.05, and with what later versions add. */
#include "unit.h"

#include "common/slurm_output.h"

static const char conf_text[] =
	"Configuration data as of 1796030829\n"
	"AccountingStorageBackupHost = (null)\n"
	"ClusterName             = sandbox\n"
	"MaxArraySize            = 1001\n"
	"SchedulerParameters     = sched_interval=1,batch_sched_delay=0,max_array_tasks=7\n"
	"SlurmctldHost[0]        = head1(10.0.0.1)\n"
	"SlurmctldHost[1]        = head2\n"
	"SlurmctldPort           = 6817-6818\n"
	"SLURM_VERSION           = 22.05.8\n"
	"\n"
	"Cgroup Support Configuration:\n"
	"\n"
	"Slurmctld(primary) at head1 is UP\n"
	"Slurmctld(backup) at head2 is DOWN\n";

START_TEST(configuration)
{
	struct slurm_conf_facts conf;
	struct err err = ERR_INIT;

	ck_assert_int_eq(slurm_output_conf(conf_text, &conf, &err), 0);
	ck_assert_str_eq(conf.cluster, "sandbox");
	ck_assert_str_eq(conf.version, "22.05.8");
	ck_assert_str_eq(conf.scheduler_parameters,
		"sched_interval=1,batch_sched_delay=0,max_array_tasks=7");
	ck_assert_int_eq(conf.array_max, 1001);
	ck_assert_int_eq(conf.port, 6817);
	ck_assert_uint_eq(conf.hosts.count, 2);
	ck_assert_str_eq(conf.hosts.item[0], "head1");
	ck_assert_str_eq(conf.addresses.item[0], "10.0.0.1");
	ck_assert_str_eq(conf.hosts.item[1], "head2");
	ck_assert_str_eq(conf.addresses.item[1], "head2");
	ck_assert(strv_has(&conf.up, "head1"));
	ck_assert(!strv_has(&conf.up, "head2"));
	slurm_conf_facts_finish(&conf);
	ck_assert_int_eq(slurm_output_conf("nothing of that kind\n", &conf, &err), -EPROTO);
	slurm_conf_facts_finish(&conf);
}
END_TEST

static const char nodes_text[] =
	"NodeName=n1 Arch=x86_64 CoresPerSocket=1  CPUAlloc=8 CPUEfctv=8 CPUTot=8 CPULoad=1.94 "
	"Gres=(null) NodeAddr=127.0.0.1 NodeHostName=vm Port=15670 Version=22.05.8 OS=Linux 6.18 "
	"#1 SMP PREEMPT_DYNAMIC @0  RealMemory=16000 AllocMem=16000 State=ALLOCATED "
	"ThreadsPerCore=1 Partitions=short,standard  Reason=State=DOWN by hand \n"
	"NodeName=n2 CPUTot=64 RealMemory=1 State=DOWN*+DRAIN ThreadsPerCore=1 \n"
	"NodeName=n3 CPUTot=64 NodeAddr=n3 RealMemory=64000 AllocMem=0 CoreSpecCount=1 "
	"MemSpecLimit=4000 State=IDLE+CLOUD+POWERED_DOWN ThreadsPerCore=1\n"
	"NodeName=n4 CPUTot=4 RealMemory=1 State=IDLE+DYNAMIC_NORM+DRAIN ThreadsPerCore=1\n"
	"NodeName=n5 CPUTot=4 RealMemory=1 State=MIXED~+FAIL ThreadsPerCore=1\n"
	"NodeName=n6 CPUTot=4 RealMemory=1 State=IDLE# ThreadsPerCore=1\n";

START_TEST(nodes)
{
	static const bool usable[] = {true, false, true, false, false, true};
	struct slurm_nodes list;
	struct err err = ERR_INIT;

	ck_assert_int_eq(slurm_output_nodes(nodes_text, &list, &err), 0);
	ck_assert_uint_eq(list.count, LENGTH(usable));
	for (size_t i = 0; i < LENGTH(usable); i++)
		ck_assert_int_eq(list.node[i].usable, usable[i]);
	ck_assert_str_eq(list.node[0].name, "n1");
	ck_assert_str_eq(list.node[0].address, "127.0.0.1");
	ck_assert_int_eq(list.node[0].cpus, 8);
	ck_assert_int_eq(list.node[0].memory_mib, 16000);
	ck_assert_int_eq(list.node[2].memory_mib, 60000);
	ck_assert_uint_eq(slurm_nodes_find(&list, "n2", 5), 1);
	ck_assert_uint_eq(slurm_nodes_find(&list, "n9", 0), SLURM_HIDDEN);
	slurm_nodes_finish(&list);
	ck_assert_int_eq(slurm_output_nodes("Node n1 not found\n", &list, &err), -EPROTO);
	slurm_nodes_finish(&list);
}
END_TEST

static const char partitions_text[] =
	"PartitionName=short AllowGroups=ALL AllowAccounts=ALL AllocNodes=ALL Default=YES QoS=N/A "
	"DefaultTime=NONE DisableRootJobs=NO Hidden=NO MaxNodes=UNLIMITED MaxTime=01:00:00 "
	"MaxCPUsPerNode=UNLIMITED Nodes=n[1,3-4],cloud7 PriorityTier=1 RootOnly=NO ReqResv=NO "
	"State=UP TotalCPUs=16 TotalNodes=4 JobDefaults=(null)\n"
	"PartitionName=long AllowGroups=staff,physics Default=NO DisableRootJobs=YES "
	"MaxTime=1-00:00:00 MaxCPUsPerNode=4 MaxCPUsPerSocket=UNLIMITED Nodes=(null) RootOnly=YES "
	"State=DRAIN TotalNodes=0\n"
	"PartitionName=all AllowGroups=ALL MaxTime=UNLIMITED Nodes=ALL State=INACTIVE "
	"TotalNodes=6\n";

START_TEST(partitions)
{
	struct slurm_nodes known;
	struct slurm_partitions list;
	struct err err = ERR_INIT;

	ck_assert_int_eq(slurm_output_nodes(nodes_text, &known, &err), 0);
	ck_assert_int_eq(slurm_output_partitions(partitions_text, &known, &list, &err), 0);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.partition[0].name, "short");
	ck_assert_str_eq(list.partition[0].allow_groups, "ALL");
	ck_assert(list.partition[0].is_default);
	ck_assert_int_eq(list.partition[0].state, SLURM_PARTITION_UP);
	ck_assert_int_eq(list.partition[0].max_time_s, 3600);
	ck_assert_int_eq(list.partition[0].max_cpus, SLURM_UNLIMITED);
	ck_assert_int_eq(list.partition[0].total_nodes, 4);
	ck_assert_uint_eq(list.partition[0].nodes, 4);
	ck_assert_uint_eq(list.partition[0].node[1], 2);
	ck_assert_uint_eq(list.partition[0].node[3], SLURM_HIDDEN);
	ck_assert_str_eq(list.partition[1].allow_groups, "staff,physics");
	ck_assert(list.partition[1].root_only && list.partition[1].no_root);
	ck_assert_int_eq(list.partition[1].state, SLURM_PARTITION_DRAIN);
	ck_assert_int_eq(list.partition[1].max_time_s, 86400);
	ck_assert_int_eq(list.partition[1].max_cpus, 4);
	ck_assert_uint_eq(list.partition[1].nodes, 0);
	ck_assert_int_eq(list.partition[2].state, SLURM_PARTITION_INACTIVE);
	ck_assert_int_eq(list.partition[2].max_time_s, SLURM_UNLIMITED);
	ck_assert_uint_eq(list.partition[2].nodes, 6);
	slurm_partitions_finish(&list);
	slurm_nodes_finish(&known);
}
END_TEST

START_TEST(reservations)
{
	static const char text[] =
		"ReservationName=course StartTime=1796030829 EndTime=1796034429 Duration=01:00:00 "
		"Nodes=n[1-2] NodeCnt=2 CoreCnt=16 Features=(null) PartitionName=short "
		"Flags=FLEX,MAGNETIC TRES=cpu=16 Users=alice,-bob Groups=(null) Accounts=(null) "
		"Licenses=(null) State=ACTIVE BurstBuffer=(null) MaxStartDelay=(null)\n"
		"ReservationName=maint StartTime=1 EndTime=2 Nodes=(null) PartitionName=(null) "
		"Flags=MAINT,SPEC_NODES Users=(null) Groups=staff Accounts=a,b\n";
	struct slurm_reservations list;
	struct err err = ERR_INIT;

	ck_assert_int_eq(slurm_output_reservations(text, &list, &err), 0);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.reservation[0].name, "course");
	ck_assert_int_eq(list.reservation[0].start, 1796030829);
	ck_assert_int_eq(list.reservation[0].end, 1796034429);
	ck_assert_str_eq(list.reservation[0].users, "alice,-bob");
	ck_assert_ptr_null(list.reservation[0].groups);
	ck_assert_str_eq(list.reservation[0].partition, "short");
	ck_assert_str_eq(list.reservation[0].nodes, "n[1-2]");
	ck_assert(list.reservation[0].flexible);
	ck_assert(!list.reservation[1].flexible);
	ck_assert_ptr_null(list.reservation[1].nodes);
	ck_assert_str_eq(list.reservation[1].groups, "staff");
	ck_assert_str_eq(list.reservation[1].accounts, "a,b");
	slurm_reservations_finish(&list);
	ck_assert_int_eq(
		slurm_output_reservations("No reservations in the system\n", &list, &err), 0);
	ck_assert_uint_eq(list.count, 0);
	slurm_reservations_finish(&list);
}
END_TEST

START_TEST(many_nodes)
{
	struct slurm_nodes list = {0};

	for (int i = 0; i < 1000; i++)
		slurm_nodes_add(&list)->cpus = i;
	for (int i = 0; i < 1000; i++)
		unit_require(list.node[i].cpus == i);
	slurm_nodes_finish(&list);
}
END_TEST

static const struct {
	const char *version, *release;
} versions[] = {
	{"22.05.8", "22.05"},
	{"slurm-wlm 24.11.5", "24.11"},
	{"slurm 26.05.0-0rc1", "26.05"},
	{"slurm", NULL},
	{"", NULL},
	{"23.", NULL},
};

START_TEST(major_release)
{
	char release[16];

	ck_assert_int_eq(slurm_major_release(versions[_i].version, release),
		versions[_i].release != NULL);
	if (versions[_i].release)
		ck_assert_str_eq(release, versions[_i].release);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slurm_output");
	TCase *tcase = tcase_create("slurm_output");

	tcase_add_test(tcase, configuration);
	tcase_add_test(tcase, nodes);
	tcase_add_test(tcase, partitions);
	tcase_add_test(tcase, reservations);
	tcase_add_test(tcase, many_nodes);
	tcase_add_loop_test(tcase, major_release, 0, LENGTH(versions));
	suite_add_tcase(suite, tcase);
	return suite;
}
