#!/bin/sh
# builtin.sh FILE... - theme and key files as a C header on stdout, one array of lines a file.
rows=
echo '/* Generated from the files of themes/ by src/ui/builtin.sh. */'
for f; do
    base=${f##*/}
    name=${base%.*}
    kind=${base##*.}
    echo "static const char *const ${kind}_${name}[] = {"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&",/' "$f"
    echo '    NULL};'
    rows="$rows    {\"$kind\", \"$name\", ${kind}_${name}},
"
done
echo 'static const struct {'
echo '    const char *kind, *name;'
echo '    const char *const *lines;'
printf '} builtin_files[] = {\n%s};\n' "$rows"
