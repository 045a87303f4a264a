/**
 * The manual page segy(1) and the completion for bash, made from the commands themselves, so that neither
 * says anything but what the program does.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../lib/setup.mjs';

/** The program with all its commands. */
export async function loadProgram() {
  const { makeProgram } = await import(pathToFileURL(join(ROOT, 'dist/src/cli/program.js')).href);
  return makeProgram();
}

/** Every command that does something itself, with the words that lead to it. */
function commandsOf(command, words = []) {
  const inner = command.commands.filter((each) => each.name() !== 'help');
  const own = inner.length === 0 ? [{ words, command }] : [];
  return [...own, ...inner.flatMap((each) => commandsOf(each, [...words, each.name()]))];
}

/** Text as troff takes it: no line begins with a control character, hyphens stay hyphens. */
function troff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gm, '\\&$1');
}

function argumentText(argument) {
  const name = argument.name() + (argument.variadic ? '...' : '');
  return argument.required ? `<${name}>` : `[${name}]`;
}

function optionLines(option) {
  const preset = option.defaultValueDescription ?? option.defaultValue;
  const shown = preset !== undefined && preset !== false && !Array.isArray(preset);
  return [
    '.TP',
    `.B ${troff(option.flags)}`,
    troff(`${option.description}${shown ? ` (default: ${preset})` : ''}`),
  ];
}

/** segy(1) as troff. `date` is YYYY-MM-DD. */
export function manualPage(program, version, date) {
  const lines = [
    `.TH SEGY 1 ${date} "mc-segy ${version}" "MC Security Gateway"`,
    '.SH NAME',
    'segy \\- security gateway between mission critical systems and radio trunks of a PBX',
    '.SH SYNOPSIS',
    '.B segy',
    '.I command',
    '[options]',
    '.SH DESCRIPTION',
    troff(
      'The MC Security Gateway joins an end-to-end encrypted mission critical system (3GPP TS 33.180) to ' +
        'the radio trunks of an existing Asterisk or FreeSWITCH. The same program is the gateway (segy run) ' +
        'and the tool by which it is set up and watched.',
    ),
    '.SH COMMANDS',
  ];
  for (const { words, command } of commandsOf(program)) {
    const operands = command.registeredArguments.map(argumentText);
    lines.push('.SS ' + troff(['segy', ...words, ...operands].join(' ')));
    lines.push(troff(command.description()));
    for (const option of command.options.filter(({ hidden }) => !hidden)) {
      lines.push(...optionLines(option));
    }
  }
  lines.push(
    '.SH "EXIT STATUS"',
    troff('0 done; 1 refused, with a stable code on standard error; 2 wrong usage.'),
    '.SH FILES',
    '.TP',
    '.I /etc/segy/segy.yaml',
    'the configuration',
    '.TP',
    '.I /etc/segy/master.key',
    'the key that seals the store; without it nothing in the store can be read',
    '.TP',
    '.I /var/lib/segy',
    'the sealed store and the audit log',
    '.TP',
    '.I /usr/share/mc\\-segy',
    'snippets for the PBX: asterisk\\-conf and dialplan',
    '.SH "SEE ALSO"',
    'The documents in',
    '.IR /usr/share/doc/mc\\-segy .',
  );
  return `${lines.join('\n')}\n`;
}

/** Completion of commands and options for bash; operands complete as files. */
export function bashCompletion(program) {
  const cases = [];
  const visit = (command, words) => {
    const inner = command.commands.map((each) => each.name()).filter((name) => name !== 'help');
    const options = command.options
      .filter(({ hidden }) => !hidden)
      .flatMap(({ short, long }) => [short, long].filter(Boolean));
    cases.push(
      `    '${words.join(' ')}') words='${[...inner, ...options, '--help'].join(' ')}' ;;`,
    );
    for (const each of command.commands) {
      if (each.name() !== 'help') visit(each, [...words, each.name()]);
    }
  };
  visit(program, ['segy']);
  return `# bash completion for segy
_segy() {
  local current=\${COMP_WORDS[COMP_CWORD]} at=segy try words index
  for ((index = 1; index < COMP_CWORD; index++)); do
    try="$at \${COMP_WORDS[index]}"
    if [[ $'\\n'"$_segy_commands"$'\\n' == *$'\\n'"$try"$'\\n'* ]]; then at=$try; fi
  done
  case $at in
${cases.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
_segy_commands=$'${cases.map((line) => /'([^']*)'/.exec(line)[1]).join('\\n')}'
complete -o default -F _segy segy
`;
}
