/* admission.c: limits on the share of dracod that strangers at its port can use. Pure. */
#include "daemon/policy/admission.h"

#define PARTS 1000 /* a level counts thousandths of a unit */

static void fill(struct budget *budget, int64_t now_ms, int64_t per_s, int64_t burst)
{
	int64_t passed_ms = now_ms - budget->at_ms;

	if (passed_ms <= 0)
		return;
	budget->at_ms = now_ms;
	budget->level += passed_ms * per_s;
	if (budget->level > burst * PARTS)
		budget->level = burst * PARTS;
}

static bool has_one(const struct budget *budget)
{
	return budget->level >= PARTS;
}

static void take(struct budget *budget, int64_t units)
{
	budget->level -= units * PARTS;
}

static struct budget full(int64_t now_ms, int64_t burst)
{
	return (struct budget){.level = burst * PARTS, .at_ms = now_ms};
}

void admission_init(struct admission *admission, int64_t now_ms)
{
	*admission = (struct admission){
		.work = full(now_ms, WORK_US_BURST),
		.knocks = full(now_ms, KNOCKS_BURST),
		.guests = full(now_ms, GUESTS_BURST),
	};
}

void admission_worked(struct admission *admission, int64_t now_ms, int64_t us)
{
	fill(&admission->work, now_ms, WORK_US_PER_S, WORK_US_BURST);
	take(&admission->work, us);
}

int64_t admission_rest_ms(struct admission *admission, int64_t now_ms)
{
	int64_t rest_ms;

	fill(&admission->work, now_ms, WORK_US_PER_S, WORK_US_BURST);
	if (has_one(&admission->work))
		return 0;
	rest_ms = (PARTS - admission->work.level + WORK_US_PER_S - 1) / WORK_US_PER_S;
	return rest_ms > WORK_REST_MIN_MS ? rest_ms : WORK_REST_MIN_MS;
}

static bool is_known(const struct admission *admission, uint64_t nonce)
{
	for (size_t i = 0; i < ADMISSION_NONCES; i++)
		if (admission->nonces[i] == nonce)
			return true;
	return false;
}

const char *admission_knock(struct admission *admission, int64_t now_ms, uint64_t nonce)
{
	if (nonce == 0 || is_known(admission, nonce))
		return "it has sent again what another client had sent";
	fill(&admission->knocks, now_ms, KNOCKS_PER_S, KNOCKS_BURST);
	if (!has_one(&admission->knocks))
		return "too many others are connecting";
	take(&admission->knocks, 1);
	admission->nonces[admission->next_nonce] = nonce;
	admission->next_nonce = (admission->next_nonce + 1) % ADMISSION_NONCES;
	return NULL;
}

/* The budget of an address, filled up to now_ms. Takes the place of an idle address if there is no
 * room. */
static struct budget *of_address(struct admission *admission, int64_t now_ms, uint32_t address)
{
	struct admission_address *fullest = NULL;

	for (size_t i = 0; i < admission->count; i++) {
		struct admission_address *each = &admission->each[i];

		fill(&each->guests, now_ms, GUESTS_PER_S_EACH, GUESTS_BURST_EACH);
		if (each->address == address)
			return &each->guests;
		if (!fullest || each->guests.level > fullest->guests.level)
			fullest = each;
	}
	if (admission->count < ADMISSION_ADDRESSES)
		fullest = &admission->each[admission->count++];
	*fullest = (struct admission_address){address, full(now_ms, GUESTS_BURST_EACH)};
	return &fullest->guests;
}

const char *admission_guest(struct admission *admission, int64_t now_ms, uint32_t address)
{
	struct budget *each;

	fill(&admission->guests, now_ms, GUESTS_PER_S, GUESTS_BURST);
	if (!has_one(&admission->guests))
		return "too many others are connecting";
	each = of_address(admission, now_ms, address);
	if (!has_one(each))
		return "too many others of its address are connecting";
	take(&admission->guests, 1);
	take(each, 1);
	return NULL;
}

static uint16_t *count_of(struct admission *admission, uint32_t address)
{
	return &admission->silent[address * 2654435761u >> 24];
}

void admission_wait(struct admission *admission, uint32_t address)
{
	++*count_of(admission, address);
}

void admission_wait_no_more(struct admission *admission, uint32_t address)
{
	--*count_of(admission, address);
}

bool admission_waits_most(struct admission *admission, uint32_t address)
{
	uint16_t count = *count_of(admission, address);

	for (size_t i = 0; i < ADMISSION_GROUPS; i++)
		if (admission->silent[i] > count)
			return false;
	return true;
}
