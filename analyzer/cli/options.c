/*
 * options.c - getopt_long driven by the option table of a verb.  Floor: cli.
 *
 * getopt_long keeps its position in globals of libc: one hl_options is in use at a time.
 */
#include "analyzer/cli/verbs.h"
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct state {
	struct option *longs;
	char *shorts;
};

static int is_short(int id)
{
	return id < 128 && isgraph(id);
}

void hl_options_start(struct hl_options *o, const struct hl_verb *v, int argc, char **argv)
{
	struct state *s = hl_xcalloc(1, sizeof(*s));
	size_t n = 0;
	char *p;

	while (v->options && v->options[n].id)
		n++;
	s->longs = hl_xcalloc(n + 3, sizeof(*s->longs));
	s->shorts = p = hl_xmalloc(2 * n + 8);
	if (v->stop_at_operand)
		*p++ = '+';
	*p++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < n; i++) {
		const struct hl_option *opt = &v->options[i];

		s->longs[i] =
			(struct option){.name = opt->name, .has_arg = opt->argument != NULL, .val = opt->id};
		if (!is_short(opt->id))
			continue;
		*p++ = (char)opt->id;
		if (opt->argument)
			*p++ = ':';
	}
	s->longs[n] = (struct option){.name = "help", .val = HL_OPTION_HELP};
	s->longs[n + 1] = (struct option){.name = "version", .val = HL_OPTION_VERSION};
	*p = '\0';
	if (!strchr(s->shorts, 'h'))
		strcpy(p, "h");
	*o = (struct hl_options){.verb = v, .argc = argc, .argv = argv, .next = 1, .state = s};
	optind = 0; /* glibc: start anew */
	opterr = 0;
}

static int finish(struct hl_options *o, int result)
{
	struct state *s = o->state;

	o->next = optind;
	if (s) {
		free(s->longs);
		free(s->shorts);
		free(s);
	}
	o->state = NULL;
	return result;
}

static const struct hl_option *find(const struct hl_verb *v, int id)
{
	for (const struct hl_option *opt = v->options; opt && opt->id; opt++)
		if (opt->id == id)
			return opt;
	return NULL;
}

/* optopt: the id of a known option that was used wrongly, an unknown short option, or 0. */
static int unknown(const struct hl_options *o, int c, struct hl_diag *d)
{
	const struct hl_option *opt = optopt ? find(o->verb, optopt) : NULL;
	const char *word = optind > 0 && optind <= o->argc ? o->argv[optind - 1] : "";

	if (c == ':')
		return hl_fail(d, HL_ERR_USAGE, "%s: option --%s needs an argument", o->verb->name,
			       opt ? opt->name : "?");
	if (opt || optopt == HL_OPTION_HELP || optopt == HL_OPTION_VERSION)
		return hl_fail(d, HL_ERR_USAGE, "%s: option --%s takes no argument", o->verb->name,
			       opt                        ? opt->name
			       : optopt == HL_OPTION_HELP ? "help"
							  : "version");
	if (optopt)
		return hl_fail(d, HL_ERR_USAGE, "%s: unknown option -%c; see heapledger %s --help",
			       o->verb->name, optopt, o->verb->name);
	return hl_fail(d, HL_ERR_USAGE, "%s: unknown option %.200s; see heapledger %s --help", o->verb->name,
		       word, o->verb->name);
}

int hl_options_next(struct hl_options *o, const char **arg, struct hl_diag *d)
{
	struct state *s = o->state;
	int c;

	if (!s)
		return 0;
	c = getopt_long(o->argc, o->argv, s->shorts, s->longs, NULL);
	*arg = optarg;
	if (c == -1)
		return finish(o, 0);
	if (c == '?' || c == ':')
		return finish(o, unknown(o, c, d));
	return c == 'h' && !find(o->verb, 'h') ? HL_OPTION_HELP : c;
}

/* Digits, then one of the units; *scale is its factor. */
static int parse_scaled(const char *s, double *value, const char **unit)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return 0;
	*value = strtod(s, &end);
	*unit = end;
	return strspn(s, "0123456789.") == (size_t)(end - s);
}

int hl_parse_size(const char *s, const char *option, unsigned long long *bytes, struct hl_diag *d)
{
	static const char letters[] = "kmgt";
	size_t digits = strspn(s, "0123456789");
	const char *unit = s + digits, *letter;
	unsigned long long v = 0;
	unsigned shift = 0;

	for (size_t i = 0; i < digits; i++)
		if (__builtin_mul_overflow(v, 10ull, &v) ||
		    __builtin_add_overflow(v, (unsigned)(s[i] - '0'), &v))
			goto large;
	if (*unit && (letter = strchr(letters, tolower((unsigned char)*unit)))) {
		shift = 10 * (unsigned)(letter - letters + 1);
		unit++;
		unit += *unit == 'i';
	}
	unit += *unit == 'B';
	if (!digits || *unit)
		return hl_fail(d, HL_ERR_USAGE, "--%s: '%s' is not a size (64, 10k, 1M)", option, s);
	if (v << shift >> shift != v)
		goto large;
	*bytes = v << shift;
	return HL_OK;
large:
	return hl_fail(d, HL_ERR_USAGE, "--%s: '%s' is too large", option, s);
}

int hl_parse_seconds(const char *s, const char *option, double *seconds, struct hl_diag *d)
{
	static const struct {
		const char *name;
		double factor;
	} units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}};
	const char *unit;
	double v;

	if (parse_scaled(s, &v, &unit) && v < 1e9)
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (!strcmp(unit, units[i].name)) {
				*seconds = v * units[i].factor;
				return HL_OK;
			}
	return hl_fail(d, HL_ERR_USAGE, "--%s: '%s' is not a time (30s, 5m, 100ms)", option, s);
}

int hl_parse_uint(const char *s, const char *option, unsigned long min, unsigned long max, unsigned long *v,
		  struct hl_diag *d)
{
	size_t digits = strspn(s, "0123456789");
	unsigned long r = 0;
	int large = 0;

	if (!digits || s[digits])
		return hl_fail(d, HL_ERR_USAGE, "--%s: '%s' is not a number", option, s);
	for (size_t i = 0; i < digits; i++)
		large |= __builtin_mul_overflow(r, 10ul, &r) ||
			 __builtin_add_overflow(r, (unsigned)(s[i] - '0'), &r);
	if (large || r < min || r > max)
		return hl_fail(d, HL_ERR_USAGE, "--%s: '%s' is not between %lu and %lu", option, s, min, max);
	*v = r;
	return HL_OK;
}

int hl_parse_address(const char *s, const char *verb, uint64_t *address, struct hl_diag *d)
{
	char *end = NULL;

	errno = 0;
	if (isxdigit((unsigned char)*s)) {
		*address = strtoull(s, &end, *s == '0' && (s[1] | 32) == 'x' ? 16 : 10);
		if (*end && isxdigit((unsigned char)*end))
			*address = strtoull(s, &end, 16);
	}
	if (!end || *end || errno)
		return hl_fail(d, HL_ERR_USAGE, "%s: %.100s is no address", verb, s);
	return HL_OK;
}
