/* SPDX-License-Identifier: MIT */
/* cli/dev/places.c: directories, programs and users. PostgreSQL refuses to run as root, and an unprivileged user cannot
 * reach below root's home: then its data lie elsewhere, and the launcher says so. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/dev/dev.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PG_NEWEST = 18, PG_OLDEST = 15, SOCKET_DIR_MAX = 80 };

static int join(char *ret, size_t size, const char *dir, const char *rest)
{
        int n = snprintf(ret, size, "%s%s", dir, rest);
        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int make_path(const char *path, struct tk_err *err)
{
        char part[DEV_PATH];
        if (tk_str_copy(part, sizeof part, path))
                return TK_ERR(err, -ENAMETOOLONG, "%s: a path may have %d bytes", path, DEV_PATH - 1);
        for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                if (mkdir(part, 0755) && errno != EEXIST)
                        return TK_ERR(err, -errno, "%s: cannot be made: %s", part, strerror(errno));
                *slash = '/';
        }
        if (mkdir(part, 0755) && errno != EEXIST)
                return TK_ERR(err, -errno, "%s: cannot be made: %s", part, strerror(errno));
        return 0;
}

int dev_data_default(char ret[DEV_PATH], struct tk_err *err)
{
        const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
        if (xdg && *xdg == '/')
                return join(ret, DEV_PATH, xdg, "/tasker/dev");
        if (!home || *home != '/')
                return TK_ERR(err, -ENOENT, "neither XDG_DATA_HOME nor HOME is set; name a directory with --data");
        return join(ret, DEV_PATH, home, "/.local/share/tasker/dev");
}

int dev_port_hold(unsigned *ret)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof addr;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) || bind(fd, (struct sockaddr *)&addr, sizeof addr) ||
            getsockname(fd, (struct sockaddr *)&addr, &len))
                addr.sin_port = 0;
        *ret = ntohs(addr.sin_port);
        return fd;
}

static bool is_pg_bin(const char *dir)
{
        char path[DEV_PATH];
        return !join(path, sizeof path, dir, "/postgres") && !access(path, X_OK) &&
               !join(path, sizeof path, dir, "/initdb") && !access(path, X_OK);
}

/* The path without links and dots. 0, or -errno. */
static int canonical(const char *path, char ret[DEV_PATH])
{
        char *whole = realpath(path, NULL);
        int r = whole ? tk_str_copy(ret, DEV_PATH, whole) : -errno;
        free(whole);
        return r;
}

/* The newest that is installed, else what PATH offers. */
static int find_postgres(struct dev *dev, const char *given, struct tk_err *err)
{
        const char *env = getenv("TASKER_PG_BIN");
        if (!given)
                given = env && *env ? env : NULL;
        if (given) {
                return !canonical(given, dev->pg_bin) && is_pg_bin(dev->pg_bin)
                               ? 0
                               : TK_ERR(err, -ENOENT, "%s: holds no postgres and initdb", given);
        }
        for (int version = PG_NEWEST; version >= PG_OLDEST; version--) {
                snprintf(dev->pg_bin, sizeof dev->pg_bin, "/usr/lib/postgresql/%d/bin", version);
                if (is_pg_bin(dev->pg_bin))
                        return 0;
        }
        TK_AUTOFREE char *path = tk_strdup(getenv("PATH") ? getenv("PATH") : "");
        char *save = NULL;
        for (char *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
                if (!tk_str_copy(dev->pg_bin, sizeof dev->pg_bin, dir) && is_pg_bin(dir))
                        return 0;
        return TK_ERR(err, -ENOENT,
                      "no PostgreSQL server found (15 to 18); on Debian: apt-get install postgresql-15, elsewhere "
                      "name its programs with --pg-bin");
}

static int find_user(struct dev_user *user, struct tk_err *err)
{
        static const char *const names[] = {"postgres", "nobody"};
        if (geteuid())
                return 0;
        for (size_t i = 0; i < tk_countof(names); i++) {
                const struct passwd *entry = getpwnam(names[i]);
                if (!entry)
                        continue;
                *user = (struct dev_user){.set = true, .uid = entry->pw_uid, .gid = entry->pw_gid};
                (void)tk_str_copy(user->name, sizeof user->name, names[i]);
                return 0;
        }
        return TK_ERR(err, -ENOENT,
                      "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as");
}

/* Whether the user can enter and write the directory: asked by becoming it. */
static bool reachable(const struct dev_user *user, const char *dir)
{
        int status;
        pid_t pid = fork();
        if (!pid)
                _exit(setgid(user->gid) || setuid(user->uid) || access(dir, R_OK | W_OK | X_OK));
        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static int own_directory(const char *dir, const struct dev_user *user, struct tk_err *err)
{
        int r = make_path(dir, err);
        if (!r && (chmod(dir, 0700) || (user->set && chown(dir, user->uid, user->gid))))
                r = TK_ERR(err, -errno, "%s: cannot be given to %s: %s", dir, user->name, strerror(errno));
        return r;
}

static int place_postgres(struct dev *dev, struct tk_err *err)
{
        if (join(dev->pg_data, sizeof dev->pg_data, dev->data, "/postgres"))
                return TK_ERR(err, -ENAMETOOLONG, "%s: the path is too long", dev->data);
        int r = own_directory(dev->pg_data, &dev->pg_user, err);
        if (r || !dev->pg_user.set || reachable(&dev->pg_user, dev->pg_data))
                return r;
        /* One place per data directory, found again next time. */
        uint64_t hash = 5381;
        for (const char *c = dev->data; *c; c++)
                hash = hash * 33 + (unsigned char)*c;
        rmdir(dev->pg_data);
        snprintf(dev->pg_data, sizeof dev->pg_data, "/var/tmp/tasker-dev-%016llx", (unsigned long long)hash);
        printf("PostgreSQL runs as %s, which cannot enter %s: its data are in %s\n", dev->pg_user.name, dev->data,
               dev->pg_data);
        return own_directory(dev->pg_data, &dev->pg_user, err);
}

/* A Unix socket's path may have 107 bytes. */
static int place_socket(struct dev *dev, struct tk_err *err)
{
        if (!dev->pg_user.set && strlen(dev->data) < SOCKET_DIR_MAX)
                return join(dev->socket_dir, sizeof dev->socket_dir, dev->data, "");
        (void)tk_str_copy(dev->socket_dir, sizeof dev->socket_dir, "/tmp/tasker-pg-XXXXXX");
        if (!mkdtemp(dev->socket_dir) || (dev->pg_user.set && chown(dev->socket_dir, dev->pg_user.uid, dev->pg_user.gid)))
                return TK_ERR(err, -errno, "%s: cannot be made: %s", dev->socket_dir, strerror(errno));
        return 0;
}

/* The first of some places relative to our own program that exists; "" when none does. */
static void find_ours(const struct dev *dev, const char *const *places, char ret[DEV_PATH])
{
        for (size_t i = 0; places[i]; i++) {
                char path[DEV_PATH];
                if (!join(path, sizeof path, dev->bin, places[i]) && !canonical(path, ret))
                        return;
        }
        *ret = '\0';
}

/* Services run in "/": what was named from here must hold there too. */
static int place_templates(struct dev *dev, const char *given, struct tk_err *err)
{
        static const char *const places[] = {"/../share/tasker/templates", "/../../examples/templates", NULL};
        int r = 0;
        if (!given)
                find_ours(dev, places, dev->templates);
        else if ((r = canonical(given, dev->templates)))
                return TK_ERR(err, r, "--templates %s: %s", given, strerror(-r));
        return r;
}

/* Files become absolute; a bare name that is no file here is left to the loader's search path. */
static int place_handlers(struct dev *dev, const char *given, struct tk_err *err)
{
        static const char *const places[] = {"/../lib/tasker/libtasker_examples.so", "/../lib/libtasker_examples.so", NULL};
        char one[DEV_PATH], path[DEV_PATH];
        if (!given) {
                find_ours(dev, places, dev->handlers);
                return 0;
        }
        TK_AUTOBUF struct tk_buf all = {.max = DEV_PATH - 1};
        for (const char *at = given, *end; *at; at = *end ? end + 1 : end) {
                end = strchrnul(at, ',');
                if (end == at)
                        continue;
                int r = snprintf(one, sizeof one, "%.*s", (int)(end - at), at) < DEV_PATH ? canonical(one, path)
                                                                                          : -ENAMETOOLONG;
                if (r && (r != -ENOENT || strchr(one, '/')))
                        return TK_ERR(err, r, "--handlers %s: %s", one, strerror(-r));
                tk_buf_printf(&all, "%s%s", all.len ? "," : "", r ? one : path);
        }
        if (tk_buf_failed(&all) || tk_str_copy(dev->handlers, sizeof dev->handlers, tk_buf_str(&all)))
                return TK_ERR(err, -ENAMETOOLONG, "--handlers: the paths may have %d bytes in all", DEV_PATH - 1);
        return 0;
}

/* The directory of the running program: the services lie beside it. */
static int find_self(struct dev *dev, struct tk_err *err)
{
        ssize_t len = readlink("/proc/self/exe", dev->bin, sizeof dev->bin - 1);
        dev->bin[len > 0 ? len : 0] = '\0';
        char *slash = strrchr(dev->bin, '/');
        if (!slash)
                return TK_ERR(err, -ENOENT, "cannot tell where this program lies: is /proc mounted?");
        *slash = '\0';
        return 0;
}

int dev_places(struct dev *dev, const char *data, const char *pg_bin, const char *templates, const char *handlers,
               struct tk_err *err)
{
        char logs[DEV_PATH];
        int r = make_path(data, err);
        if (r)
                return r;
        r = canonical(data, dev->data);
        if (r || strlen(dev->data) > DEV_PATH - 64)
                return TK_ERR(err, r ? r : -ENAMETOOLONG, "%s: cannot be used", data);
        snprintf(logs, sizeof logs, "%.900s/logs", dev->data);
        r = make_path(logs, err);
        if (!r)
                r = find_self(dev, err);
        if (!r)
                r = place_templates(dev, templates, err);
        if (!r)
                r = place_handlers(dev, handlers, err);
        if (!r)
                r = find_postgres(dev, pg_bin, err);
        if (!r)
                r = find_user(&dev->pg_user, err);
        if (!r)
                r = place_postgres(dev, err);
        return r ? r : place_socket(dev, err);
}
