import { present, problem, quoted, Rule, RuleInput } from './rule';

const PATH = 'monitoredServices';
const GUIDE = 'Define monitored services';
// A systemd unit name without its ending. A trailing @ is a template, of which there is nothing to start.
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9@._-]{0,245}[A-Za-z0-9._-])?$/;
const UNIT_SUFFIX = /\.(?:service|socket|target|timer|mount|automount|path|slice|scope|swap|device)$/;
// A unit that the lock waits for must not wait for the lock.
const OURS = /^(?:keepalived|nim-ha(?:-.*)?)$/;

const names = (input: RuleInput): string[] => present(input.services ?? []);

export const serviceRules: Rule[] = [
  {
    id: 'service/none',
    summary: 'At least one service is monitored.',
    guide: GUIDE,
    check: ({ services }) =>
      services?.length === 0
        ? [problem(PATH, 'must name at least one service', 'none', "leave it out for the guide's six")]
        : [],
  },
  {
    id: 'service/name-syntax',
    summary: 'A monitored service is the name of a systemd service, without `.service`.',
    guide: GUIDE,
    check: (input) =>
      names(input)
        .filter((name) => !NAME.test(name) || UNIT_SUFFIX.test(name))
        .map((name) => {
          const todo = name.endsWith('.service')
            ? `write ${quoted(name.replace(/(?:\.service)+$/, ''))}`
            : 'see `systemctl list-units --type=service` for it';
          return problem(PATH, 'must be the name of a systemd service without its ending', quoted(name), todo);
        }),
  },
  {
    id: 'service/reserved',
    summary: 'Neither keepalived nor a unit of this library is a monitored service: it would wait for itself.',
    check: (input) =>
      names(input)
        .filter((name) => OURS.test(name))
        .map((name) =>
          problem(
            PATH,
            'must be a service of NGINX Instance Manager, not one that decides where it runs',
            quoted(name),
            'leave it out',
          ),
        ),
  },
  {
    id: 'service/repeated',
    summary: 'No service is named twice.',
    guide: GUIDE,
    check: (input) =>
      names(input)
        .filter((name, index, all) => all.indexOf(name) !== index)
        .map((name) => problem(PATH, 'must name each service once', `${quoted(name)} again`, 'remove the second')),
  },
];
