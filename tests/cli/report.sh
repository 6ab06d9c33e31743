#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/report.sh COMMAND FIXTURES: a page is one file that loads nothing and holds the documents
# that it was made of; what cannot be read or written is told, and no file is left.
set -eu
clnorm=$(realpath "$1")
fixtures=$(realpath "$2")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"
command -v python3 >/dev/null || {
    echo 'no python3'
    exit $((${CLNORM_TEST_ALL:-0} ? 1 : 77))
}
results() { python3 "$fixtures/bench_results.py" "$@"; }

# data PAGE: the JSON that is embedded in it.
page_data() { sed -n 's,^<script type="application/json" id="clnorm-data">\(.*\)</script>$,\1,p' "$1"; }

# expect_data PAGE JSON...: the documents of the page are those of these files.
expect_data() {
    page_data "$1" >data.json
    shift
    python3 - data.json "$@" <<'END' || fail 'the data of the page are not those of the files'
import json, sys
page, *files = (json.load(open(path)) for path in sys.argv[1:])
sys.exit([file["data"] for file in page["files"]] != files)
END
}

# expect_form PAGE: each element that is opened is closed, and none of them loads anything.
expect_form() {
    python3 - "$1" <<'END' || fail 'the page is not well-formed, or loads something'
import html.parser, sys
VOID = {"meta", "link", "br", "img", "input"}
class Reader(html.parser.HTMLParser):
    stack, bad, ids = [], [], []
    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.stack += [] if tag in VOID else [tag]
        self.ids += [values["id"]] if "id" in values else []
        for name in ("src", "href", "action", "data", "srcset"):
            if not values.get(name, "data:").startswith("data:"):
                self.bad.append(f"{tag} {name}={values[name]}")
    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.bad.append(f"</{tag}>")
text = open(sys.argv[1], encoding="utf-8").read()
reader = Reader()
reader.feed(text)
policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
style = text[text.index("<style>"):text.index("</style>")]
problems = reader.bad + reader.stack + [word for word in ("url(", "@import") if word in style]
problems += [] if f'content="{policy}"' in text else ["no policy"]
problems += [] if len(reader.ids) == len(set(reader.ids)) else ["ids that are not unique"]
sys.exit("\n".join(problems) or 0)
END
}

results --title 'What <b>four</b> & "more" do' >four.json
results --devices 1 --cases 3 --seed 2 >one.json

# ---- pages, read back ----
must_pass report four.json -o four.html
[ ! -s stdout ] || fail 'something on stdout'
expect_form four.html
expect_data four.html four.json
grep -qF '<title>What &#60;b&#62;four&#60;/b&#62; &#38; &#34;more&#34; do</title>' four.html ||
    fail "the title is $(grep '<title>' four.html)"
page_data four.html | grep -q '<' && fail 'the data have a "<" in them'
must_pass report four.html -o again.html
cmp -s four.html again.html || [ "$(page_data four.html | sed 's/"name":"[^"]*"//')" = \
    "$(page_data again.html | sed 's/"name":"[^"]*"//')" ] || fail 'the page of a page is another'
must_pass report one.json four.html -o both.html --title '</script><!-- é'
expect_form both.html
expect_data both.html one.json four.json
grep -q '"name":"one.json"' both.html || fail 'the page does not name its file'
must_pass report both.html -o both2.html
expect_data both2.html one.json four.json
mkdir -p a b
cp one.json a/x.json
cp four.json b/x.json
must_pass report a/x.json b/x.json -o both.html
grep -q '"name":"a/x.json"' both.html || fail 'files of the same name are not told apart'
must_pass report "$scratch/a/x.json" -o both.html
grep -qF "$scratch" both.html && fail 'the page tells where the file was'
cp four.html link.html
ln -s link.html output.html
must_pass report one.json -o output.html
[ -L output.html ] || fail 'the link became a file'
expect_data link.html one.json

# ---- JSONL: a device is inlined in each line ----
python3 - one.json >one.jsonl <<'END'
import json, sys
document = json.load(open(sys.argv[1]))
for result in document["results"]:
    line = {key: document[key] for key in ("schema", "created", "host", "tool")}
    line.update(result, device=document["devices"][result["device"]])
    print(json.dumps(line))
END
must_pass report one.jsonl -o lines.html
expect_form lines.html
page_data lines.html | python3 -c '
import json, sys
page = json.load(sys.stdin)["files"][0]["data"]
sys.exit(page["results"] != json.load(open("one.json"))["results"])' || fail 'other results than in the lines'

# ---- the command line ----
must_fail 2 'FILE is missing' report -o out.html
must_fail 2 '-o is missing' report one.json
must_fail 2 "-o '': must be the name of a file" report one.json -o ''
must_fail 2 'unknown option --titel, did you mean --title' report one.json --titel x

# ---- files that are none ----
echo 'no JSON' >bad.json
: >empty.json
sed 's/"bytes_per_second"/"bytes_per_sec"/' one.json >key.json
sed 's/clnorm\.bench\/1/clnorm.bench\/2/' one.json >schema.json
echo '<html><p>' >bad.html
echo '<script id="clnorm-data">{"files":[]}</script>' >none.html
head -c 2000 four.html >cut.html
for bad in bad.json empty.json key.json schema.json bad.html none.html cut.html missing.json a; do
    must_fail 2 "$bad" report one.json "$bad" -o out.html
    [ ! -e out.html ] || fail 'a page is left'
    rm -f out.html
done

# ---- places that cannot be written; what was there stays ----
must_fail 2 'none/out.html: cannot be written: No such file' report one.json -o none/out.html
must_fail 2 'a: is a directory' report one.json -o a
must_fail 2 '/dev/full: is not a regular file' report one.json -o /dev/full
if [ "$(id -u)" -ne 0 ]; then
    chmod a-w a
    must_fail 2 'cannot be written: Permission denied' report one.json -o a/out.html
    chmod u+w a
fi
echo old >kept.html
case_name='a disk that is full' cases=$((cases + 1))
code=0
(
    trap '' XFSZ
    ulimit -f 100 # of 512 bytes
    exec "$clnorm" report one.json -o kept.html
) >stdout 2>stderr </dev/null || code=$?
[ $code -eq 2 ] || fail "exit code $code, must be 2"
grep -q 'kept.html: cannot be written: File too large' stderr || fail 'no reason'
[ "$(cat kept.html)" = old ] || fail 'the old page is gone'
no_leftovers
finish
