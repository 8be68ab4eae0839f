"""Errors about files: missing, of another format than they say, cut short, damaged."""

from __future__ import annotations

from xentcli.explanations.entry import Entry

_GOOD = "sample_data/digits_good.parquet"

ENTRIES = (
    Entry(
        "no_file", 2,
        "No file has this name, or it is a link to nowhere.",
        "Check the name; the message suggests the nearest one in the folder.",
        ("xent score sample_data/digits_god.parquet",),
    ),
    Entry(
        "no_match", 2,
        "The quoted glob matches no file. Zero files are an error, so that an empty folder never passes "
        "for a good result.",
        "List the folder, then correct the pattern.",
        ("xent score 'sample_data/*.none'",),
    ),
    Entry(
        "empty_folder", 2,
        "A folder stands for the files in it, but there is none; names that begin with _ or . do not count.",
        "Name a folder that holds prediction files.",
        ("mkdir nothing", "xent score nothing"),
    ),
    Entry(
        "mixed_folder", 2,
        "The files of a folder are shards of one set and have one format, but these have several, or endings "
        "that are none of a format.",
        "Name the files with a quoted glob; --input-format if all of them have one format after all.",
        ("mkdir mixed", "touch mixed/a.csv mixed/b.parquet", "xent score mixed"),
    ),
    Entry(
        "not_a_file", 2,
        "The path is a device or a socket, which cannot be read as a file of predictions.",
        "Name a file, or pipe the data in: … | xent score -",
        ("xent score /dev/zero",),
    ),
    Entry(
        "unreadable", 3,
        "The file is there, but the system does not let it be read: permissions, or an error of the disk.",
        "Change its permissions, or copy it to where it can be read.",
    ),
    Entry(
        "given_twice", 2,
        "Two of the names lead to the same file (also through a link), so its rows would count twice.",
        "Name each file once.",
        ("xent score sample_data/cancer.parquet sample_data/../sample_data/cancer.parquet",),
    ),
    Entry(
        "remote_path", 2,
        "The argument is an address that is not read as it stands: http(s) without --allow-remote, a chain "
        "of addresses (a::b), or an option in it that is not known. For servers of one's own, s3:// takes "
        "endpoint_override, region, scheme and anonymous, gs:// the same but region: "
        "gs://bucket/path?endpoint_override=HOST:PORT&scheme=http&anonymous=true.",
        "--allow-remote for http(s), or fetch the file first.",
        ("xent score https://example.org/preds.parquet",),
    ),
    Entry(
        "remote_scheme", 2,
        "s3:// and gs:// are read as they are, other addresses by fsspec and what belongs to it, and that "
        "is not installed.",
        "pip install fsspec, and what the message names; or fetch the file first.",
        ("xent score nosuch://bucket/preds.parquet",),
    ),
    Entry(
        "remote_denied", 3,
        "The server does not let these credentials read the file.",
        "Give credentials as the server's own tools take them, or rights to read.",
    ),
    Entry(
        "remote_unreadable", 3,
        "A remote file could not be read: no connection, no answer in time, an error of the server. It was "
        "tried three times.",
        "Look at address, network and credentials, or fetch the file first.",
        ("xent score --allow-remote http://127.0.0.1:1/preds.parquet",),
    ),
    Entry(
        "empty_file", 3,
        "The file has no content: 0 bytes, or only empty lines. Whatever writes it has failed or has not "
        "finished.",
        "Write it again.",
        (": > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "unknown_format", 2,
        "--input-format names a format that xent does not read.",
        "Use one of those the message lists.",
        ("xent score sample_data/cancer.csv --input-format xls",),
    ),
    Entry(
        "format_mismatch", 3,
        "The name of the file says one format, its first bytes another. Neither is believed in silence.",
        "Rename the file, or say what it is with --input-format.",
        ("cp sample_data/cancer.csv cancer.parquet", "xent score cancer.parquet"),
    ),
    Entry(
        "lfs_pointer", 3,
        "Git LFS keeps large files apart; a few lines of text stand in their place until they are fetched.",
        "git lfs pull, in the repository; then score the file again.",
        ("printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:0\\nsize 9\\n' > preds.parquet",
         "xent score preds.parquet"),
    ),
    Entry(
        "zstd_dictionary", 3,
        "The zstd data was packed with a dictionary, which is a file of its own and is needed to unpack it.",
        "Unpack it first: zstd -d -D DICTIONARY FILE.",
    ),
    Entry(
        "text_option", 2,
        "An option about text (delimiter, decimal mark, comments) was given, but no input is text.",
        "Leave the option out.",
        (f"xent score {_GOOD} --delimiter ';'",),
    ),
    Entry(
        "arrow_truncated", 3,
        "An Arrow (or Feather) file ends with a footer that says where its batches are; here it is not at "
        "the end, as in a file of which only the first part was copied.",
        "Copy or write the file again.",
    ),
    Entry(
        "arrow_damaged", 3,
        "Arrow data contradict themselves: lengths, offsets or codes that point outside, text that is no "
        "UTF-8, a batch that is cut.",
        "Copy or write the file again.",
    ),
    Entry(
        "feather_v1", 3,
        "Feather version 1 is an older format of its own; version 2 is an Arrow file, which xent reads.",
        "Write it again: pyarrow.feather.write_feather(table, path) makes version 2.",
        ("printf 'FEA1FEA1' > preds.feather", "xent score preds.feather"),
    ),
    Entry(
        "spool", 74,
        "Parquet and Arrow files are read from their end, so what comes from a pipe is first copied to a "
        "temporary file; there is no room for it.",
        "TMPDIR names a folder on a larger disk, or write the data to a file first.",
    ),
    Entry(
        "read_once", 3,
        "A reader of batches, or a stream, hands out its rows once, and has done so.",
        "Make a new reader for each call.",
    ),
    Entry(
        "source", 2,
        "The Python function was given something that holds no rows that xent can read.",
        "Pass a path or several, a DataFrame, an Arrow table or reader, a dict of columns, or an array with "
        "labels=.",
    ),
    Entry(
        "array", 2,
        "An object could not be made a NumPy array: a tensor on another device or with a gradient, bfloat16, "
        "lists of different lengths, an array with masked values.",
        "Pass a NumPy array; of a tensor, tensor.detach().cpu().float().numpy().",
    ),
    Entry(
        "array_type", 3,
        "An array holds Python objects that are neither numbers nor text. Pickled objects are not read.",
        "Store it as numbers, or as text with .astype(str).",
    ),
    Entry(
        "lengths", 2,
        "Scores and labels belong together by position, so there must be one label for each row of scores.",
        "Pass scores (n,) or (n, classes) with labels (n,).",
    ),
    Entry(
        "no_labels", 2,
        "An array holds scores and nothing else; labels come beside it. In a table they are a column, which "
        "label= names.",
        "Pass labels= with an array of scores, and only then.",
    ),
    Entry(
        "npy_truncated", 3,
        "The header of an array says how many bytes its values take; fewer follow.",
        "Copy or write the file again.",
    ),
    Entry(
        "npy_damaged", 3,
        "A NumPy file, or an array in an archive, is not what numpy.save and numpy.savez write.",
        "Write it again with numpy.save or numpy.savez.",
    ),
    Entry(
        "which_arrays", 3,
        "The arrays of an archive have several lengths, and nothing says which are scores and labels.",
        "Store the scores and labels of one set in a file of their own.",
    ),
    Entry(
        "array_lengths", 3,
        "An array that is called like labels has another number of rows than the scores beside it.",
        "Store one label for each row of scores.",
    ),
    Entry(
        "parquet_truncated", 3,
        "A Parquet file ends with a footer, and this one does not: it was cut short while it was written or "
        "copied.",
        "Copy or write it again.",
        (f"head -c 9000 {_GOOD} > cut.parquet", "xent score cut.parquet"),
    ),
    Entry(
        "parquet_damaged", 3,
        "The bytes of a Parquet file contradict its footer or its checksums. No figure from it could be "
        "trusted. The message names row group and column.",
        "Copy or write the file again; a disk or a transfer has changed it.",
        (f"(head -c 4 {_GOOD}; head -c 3000 /dev/zero; tail -c +3005 {_GOOD}) > bad.parquet",
         "xent score bad.parquet"),
    ),
    Entry(
        "over_memory", 3,
        "Scoring the file would take more memory than --max-memory allows, or than four fifths of what the "
        "machine has. It is added up beforehand: sums, which grow with classes and bins, rows in work, and "
        "pages of the file as they unpack.",
        "The --max-memory that the message names. A small file that unpacks to so much may be meant to.",
    ),
    Entry(
        "parquet_encrypted", 3,
        "The footer of the Parquet file, or a column of it that is needed, is encrypted, and xent takes no "
        "keys. Columns that no one asks for may be.",
        "Decrypt it first.",
        ("(printf PARE; head -c 40 /dev/zero; printf PARE) > secret.parquet", "xent score secret.parquet"),
    ),
    Entry(
        "parquet_unsupported", 3,
        "A column of the Parquet file is whole, and stored in a way that pyarrow does not read: a rare "
        "encoding or compression, or a list of coded texts that are stored by what they share.",
        "Write it again with pyarrow's defaults, or name the encoding and compression of that column.",
        ("python3 -c \"import pyarrow as pa, pyarrow.parquet as pq; pq.write_table(pa.table({'p_0': [.4], "
         "'p_1': [.6], 'label': pa.array([['0']], pa.list_(pa.dictionary(pa.int8(), pa.string())))}), "
         "'preds.parquet', use_dictionary=False, column_encoding={'label.list.element': "
         "'DELTA_BYTE_ARRAY'})\"",
         "xent score preds.parquet"),
    ),
    Entry(
        "truncated", 3,
        "The compressed data ends before it says it ends: the file was cut short.",
        "Copy or write it again.",
        ("gzip -c sample_data/cancer.csv | head -c 900 > cut.csv.gz", "xent score cut.csv.gz"),
    ),
    Entry(
        "trailing_bytes", 3,
        "Bytes follow the compressed data that are not compressed, so part of the input would go unread.",
        "Write the file again, compressed as a whole.",
        ("(gzip -c sample_data/cancer.csv; echo 0.5,1) > more.csv.gz", "xent score more.csv.gz"),
    ),
    Entry(
        "damaged", 3,
        "The compressed data cannot be unpacked: bytes in it have changed.",
        "Copy or write the file again.",
        ("gzip -c sample_data/cancer.csv > whole.gz",
         "(head -c 500 whole.gz; head -c 100 /dev/zero; tail -c +601 whole.gz) > bad.csv.gz",
         "xent score bad.csv.gz"),
    ),
    Entry(
        "file_changed", 3,
        "The file had another size or time of change at the end of the run than at its beginning, so the "
        "figures would be those of two files.",
        "Run again when nothing writes to it.",
    ),
    Entry(
        "sha256", 3,
        "The content of the file does not have the SHA-256 that --expect-sha256 asks for.",
        "Fetch the file again, or correct the hash if the file was meant to change.",
        (f"xent score {_GOOD} --expect-sha256 {'0' * 64}",),
    ),
    Entry(
        "shards_differ", 3,
        "Several files are shards of one set, but one of them lacks a column, names other classes, holds "
        "scores of another kind, or would be read in another way than the first; or its columns are in "
        "another order, and that order is all that says which class is positive, or what a label means.",
        "Score files of one layout together. What two models said is not one set.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n' > a.csv", "printf 'p_0,p_2,label\\n0.2,0.8,0\\n' > b.csv",
         "xent score a.csv b.csv"),
    ),
)  # fmt: skip
