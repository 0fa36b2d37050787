/* check_admission.c: tests of daemon/policy/admission.c. */
#include "unit.h"

#include "daemon/policy/admission.h"

#define T0    1000000
#define TEN_S 10000

static struct admission admission;

static void setup(void)
{
	admission_init(&admission, T0);
}

/* Works whenever it may, so many microseconds at a time; returns how many in all within ten
 * seconds. */
static int64_t work_for_ten_s(int64_t us)
{
	int64_t total = 0, now = T0;

	while (now < T0 + TEN_S) {
		int64_t rest_ms = admission_rest_ms(&admission, now);

		ck_assert_int_ge(rest_ms, 0);
		ck_assert(rest_ms == 0 || rest_ms >= WORK_REST_MIN_MS);
		if (rest_ms == 0) {
			admission_worked(&admission, now, us);
			total += us;
		}
		now += rest_ms ? rest_ms : (us + 999) / 1000;
	}
	return total;
}

static const int64_t portions_us[] = {50, 500, 2000, 50000};

START_TEST(work_is_bounded)
{
	int64_t us = portions_us[_i], total = work_for_ten_s(us);

	ck_assert_int_le(total, WORK_US_BURST + 10 * WORK_US_PER_S + us);
	if (us >= 500) /* else ten seconds are not enough to need a rest */
		ck_assert_int_ge(total, 9 * WORK_US_PER_S);
}
END_TEST

START_TEST(little_work_needs_no_rest)
{
	for (int64_t now = T0; now < T0 + TEN_S; now += 10) {
		ck_assert_int_eq(admission_rest_ms(&admission, now), 0);
		admission_worked(&admission, now, 1900);
	}
}
END_TEST

/* The machine was stopped for a second in the middle of a turn, say. */
START_TEST(a_debt_is_paid_back)
{
	int64_t rest_ms;

	admission_worked(&admission, T0, WORK_US_BURST + WORK_US_PER_S);
	rest_ms = admission_rest_ms(&admission, T0);
	ck_assert_int_ge(rest_ms, 1000);
	ck_assert_int_le(rest_ms, 1100);
	ck_assert_int_gt(admission_rest_ms(&admission, T0 + 900), 0);
	ck_assert_int_eq(admission_rest_ms(&admission, T0 + rest_ms), 0);
}
END_TEST

/* How many of so many guests of each address get in, one of each address in turns. */
static int guests(uint32_t addresses, int rounds, int64_t now)
{
	int admitted = 0;

	for (int i = 0; i < rounds; i++)
		for (uint32_t address = 1; address <= addresses; address++)
			admitted += admission_guest(&admission, now, address) == NULL;
	return admitted;
}

START_TEST(guests_of_one_address)
{
	ck_assert_int_eq(guests(1, 1000, T0), GUESTS_BURST_EACH);
	ck_assert_str_eq(admission_guest(&admission, T0, 1),
		"too many others of its address are connecting");
	ck_assert_ptr_null(admission_guest(&admission, T0, 2));
	ck_assert_int_eq(guests(1, 1000, T0 + 1000), GUESTS_PER_S_EACH);
	ck_assert_int_eq(guests(1, 1000, T0 + 3600000), GUESTS_BURST_EACH);
}
END_TEST

START_TEST(guests_of_many_addresses)
{
	ck_assert_int_eq(guests(1000, 1, T0), GUESTS_BURST);
	ck_assert_str_eq(admission_guest(&admission, T0, 1), "too many others are connecting");
	ck_assert_int_eq(guests(1000, 1, T0 + 1000), GUESTS_PER_S);
	ck_assert_int_eq(guests(1000, 1, T0 + 3600000), GUESTS_BURST);
}
END_TEST

/* One address does not take what is there for all, and is not forgotten for others. */
START_TEST(guests_of_a_greedy_address)
{
	int64_t now = T0;

	for (int i = 0; i < 100; i++, now += 100) {
		guests(1, 100, now);
		if (i % 10 == 0)
			ck_assert_ptr_null(
				admission_guest(&admission, now, (uint32_t)(100 + i)));
	}
	for (uint32_t i = 0; i < 2 * ADMISSION_ADDRESSES; i++)
		admission_guest(&admission, now + 1000 * i, 1000 + i);
	ck_assert_uint_eq(admission.count, ADMISSION_ADDRESSES);
}
END_TEST

START_TEST(a_clock_that_stands)
{
	guests(1, 1000, T0);
	ck_assert_int_eq(guests(1, 1000, T0), 0);
	ck_assert_int_eq(guests(1, 1000, T0 - 5000), 0); /* or goes back */
	ck_assert_int_eq(guests(1, 1000, T0), 0);
}
END_TEST

START_TEST(knocks)
{
	uint64_t nonce = 1;

	guests(1000, 10, T0); /* guests are nothing to them */
	while (!admission_knock(&admission, T0, nonce))
		nonce++;
	ck_assert_uint_eq(nonce, KNOCKS_BURST + 1);
	ck_assert_str_eq(
		admission_knock(&admission, T0, nonce), "too many others are connecting");
	ck_assert_ptr_null(admission_knock(&admission, T0 + 1000, nonce));
}
END_TEST

/* A name is good once, for as long as it is remembered; one that was turned away may come again. */
START_TEST(sent_again)
{
	int64_t now = T0;

	for (uint64_t nonce = 1; nonce <= ADMISSION_NONCES; nonce++, now += 10)
		ck_assert_ptr_null(admission_knock(&admission, now, nonce));
	for (uint64_t nonce = 1; nonce <= ADMISSION_NONCES; nonce++)
		unit_require(admission_knock(&admission, now, nonce));
	ck_assert_str_eq(admission_knock(&admission, now, 7),
		"it has sent again what another client had sent");
	ck_assert_ptr_null(admission_knock(&admission, now, ADMISSION_NONCES + 1));
	ck_assert_ptr_null(admission_knock(&admission, now, 1)); /* forgotten */
	ck_assert_ptr_nonnull(admission_knock(&admission, now, 0));
}
END_TEST

START_TEST(who_waits_most)
{
	ck_assert(admission_waits_most(&admission, 1));
	for (int i = 0; i < 3; i++)
		admission_wait(&admission, 1);
	for (int i = 0; i < 2; i++)
		admission_wait(&admission, 2);
	ck_assert(admission_waits_most(&admission, 1));
	ck_assert(!admission_waits_most(&admission, 2));
	ck_assert(!admission_waits_most(&admission, 3));
	admission_wait_no_more(&admission, 1);
	ck_assert(admission_waits_most(&admission, 1));
	ck_assert(admission_waits_most(&admission, 2));
	admission_wait_no_more(&admission, 1);
	ck_assert(!admission_waits_most(&admission, 1));
	ck_assert(admission_waits_most(&admission, 2));
}
END_TEST

/* Addresses of one network are in groups of their own, nearly. */
START_TEST(addresses_of_one_network)
{
	bool used[ADMISSION_GROUPS] = {false};
	int groups = 0;

	for (uint32_t i = 0; i < 64; i++) {
		struct admission one = {0};

		admission_wait(&one, 0x0a47000a + (i << 24)); /* the last byte of an address */
		for (size_t group = 0; group < ADMISSION_GROUPS; group++)
			used[group] |= one.silent[group] > 0;
	}
	for (size_t group = 0; group < ADMISSION_GROUPS; group++)
		groups += used[group];
	ck_assert_int_ge(groups, 50);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("admission");
	TCase *tcase = tcase_create("admission");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, work_is_bounded, 0, LENGTH(portions_us));
	tcase_add_test(tcase, little_work_needs_no_rest);
	tcase_add_test(tcase, a_debt_is_paid_back);
	tcase_add_test(tcase, guests_of_one_address);
	tcase_add_test(tcase, guests_of_many_addresses);
	tcase_add_test(tcase, guests_of_a_greedy_address);
	tcase_add_test(tcase, a_clock_that_stands);
	tcase_add_test(tcase, knocks);
	tcase_add_test(tcase, sent_again);
	tcase_add_test(tcase, who_waits_most);
	tcase_add_test(tcase, addresses_of_one_network);
	suite_add_tcase(suite, tcase);
	return suite;
}
