import { problem, Rule } from './rule';

// None of these messages may repeat the password, or a part of it.
const PATH = 'virtualIp.authPass';
const GUIDE = 'Configure keepalived';
const SAFE = /[A-Za-z0-9._-]/;

export const authPassRules: Rule[] = [
  {
    id: 'vip/auth-pass-empty',
    summary: 'The VRRP password is not empty.',
    guide: GUIDE,
    check: ({ virtualIp }) =>
      virtualIp?.authPass === ''
        ? [problem(PATH, 'must not be empty', 'an empty one', 'set 1 to 8 characters, the same secret on both nodes')]
        : [],
  },
  {
    id: 'vip/auth-pass-length',
    summary: 'The VRRP password has at most 8 characters; keepalived cuts the rest off with a warning only.',
    guide: GUIDE,
    check: ({ virtualIp }) => {
      const length = [...(virtualIp?.authPass ?? '')].length;
      return length > 8
        ? [problem(PATH, 'keepalived uses only the first 8 characters', length, 'shorten it to 8 or fewer')]
        : [];
    },
  },
  {
    id: 'vip/auth-pass-characters',
    summary: 'The VRRP password consists of letters, digits, ".", "_" and "-"; keepalived silently ends it at others.',
    guide: GUIDE,
    check: ({ virtualIp }) => {
      const others = [...(virtualIp?.authPass ?? '')].filter((character) => !SAFE.test(character)).length;
      if (others === 0) return [];
      const demand = 'keepalived reads only letters, digits, ".", "_" and "-" as they are';
      return [
        problem(PATH, demand, `${others} other character${others > 1 ? 's' : ''}`, 'choose a password without them'),
      ];
    },
  },
];
