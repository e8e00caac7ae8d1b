// Each asks the command itself, `oada-jobs __complete -- <words>`, for lines of `<value>\t<summary>`. Where there are none,
// names of files are offered.

const BASH = String.raw`# bash completion of oada-jobs
_oada_jobs() {
  local line value word last= prefix=
  local -a words=()
  # bash takes an = for a word of its own: here it joins what stands around it
  for word in "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ ${'$'}word == =* || ${'$'}last == =* ]] && (( ${'$'}{#words[@]} )); then
      words[${'$'}{#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    last=$word
  done
  word=${'$'}{words[${'$'}{#words[@]}-1]}
  [[ ${'$'}word == *=* && ${'$'}word != "$last" ]] && prefix=${'$'}{word%%=*}=
  COMPREPLY=()
  while IFS=$'\t' read -r value line; do
    COMPREPLY+=("${'$'}{value#"$prefix"}")
  done < <(oada-jobs __complete -- "${'$'}{words[@]}" 2>/dev/null)
}
complete -o default -F _oada_jobs oada-jobs
`;

const ZSH = String.raw`#compdef oada-jobs
_oada_jobs() {
  local -a candidates
  local value summary
  while IFS=$'\t' read -r value summary; do
    candidates+=("${'$'}{value//:/\\:}:$summary")
  done < <(oada-jobs __complete -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${'$'}{#candidates} )); then
    _describe 'oada-jobs' candidates
  else
    _files
  fi
}
if [ "${'$'}{funcstack[1]}" = "_oada_jobs" ]; then
  _oada_jobs
else
  compdef _oada_jobs oada-jobs
fi
`;

const FISH = String.raw`# fish completion of oada-jobs
function __oada_jobs_complete
  set -l words (commandline -opc) (commandline -ct)
  oada-jobs __complete -- $words[2..-1] 2>/dev/null
end
complete -c oada-jobs -a '(__oada_jobs_complete)'
`;

export const SCRIPTS: Readonly<Record<string, string>> = Object.freeze({ bash: BASH, zsh: ZSH, fish: FISH });
